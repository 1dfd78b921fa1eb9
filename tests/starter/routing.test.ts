import { expect, test } from 'vitest';
import { Chance } from './chance.ts';
import { wilson } from './report.ts';
import { routingByLayer, type RoutedDocument } from './routing.ts';

const SHAPE = { nLayers: 1, nExperts: 2, nUsed: 1 };

function documents(expertOf: (task: string, token: number) => number): RoutedDocument[] {
  return Array.from({ length: 40 }, (_, d) => {
    const task = d % 2 === 0 ? 'a' : 'b';
    const ids = [0, 1, 2, 3];
    return { task, ids, routing: Uint16Array.from(ids, (id) => expertOf(task, id)) };
  });
}

test('experts that know the task carry one bit, above every shuffle', () => {
  const [layer] = routingByLayer(
    documents((task) => (task === 'a' ? 0 : 1)),
    SHAPE,
    new Chance(1, 'test'),
  );
  expect(layer.bits).toBeCloseTo(1, 12);
  expect(layer.bitsWithinIds).toBeCloseTo(1, 12);
  expect(layer.shuffledBits).toBeLessThan(0.5);
  expect(layer.load).toBeCloseTo(1, 12);
});

test('experts chosen by token id alone carry nothing about the task', () => {
  const [layer] = routingByLayer(
    documents((_, token) => (token === 0 ? 0 : 1)),
    SHAPE,
    new Chance(1, 'test'),
  );
  expect(layer.bits).toBeCloseTo(0, 12);
  expect(layer.bitsWithinIds).toBeCloseTo(0, 12);
  expect(layer.load).toBeCloseTo(1.5, 12);
});

test('Wilson interval of 95 of 100', () => {
  const { low, high } = wilson(95, 100);
  expect(low).toBeCloseTo(0.8882, 3);
  expect(high).toBeCloseTo(0.9785, 3);
});
