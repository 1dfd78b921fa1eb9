/** Sums, differences, products, units and weekdays from the held-out frames. */
import { plainCase, type StarterCase, type TaskName } from './case.ts';
import { Chance } from './chance.ts';
import { judgeNumber, judgeWeekday, WEEKDAYS } from './judge.ts';
import type { ArithmeticFrames } from './material.ts';

export type Pairs = readonly (readonly [number, number])[];

/** `pairs`: unordered, for two digits; null draws any two numbers of 10…99. */
export function sumCases(frames: ArithmeticFrames, digits: 2 | 3, n: number, seed: number, pairs: Pairs | null): StarterCase[] {
  const c = new Chance(seed, `sums ${digits}`);
  const [least, most] = digits === 2 ? [10, 99] : [100, 999];
  const task: TaskName = digits === 2 ? 'sums-2' : 'sums-3';
  return Array.from({ length: n }, (_, i) => {
    const [x, y] = digits === 2 && pairs ? c.pick(pairs) : [c.whole(least, most), c.whole(least, most)];
    const adds = i % 2 === 0;
    const [a, b] = adds ? (c.chance(0.5) ? [x, y] : [y, x]) : [Math.max(x, y), Math.min(x, y)];
    const question = c.pick(adds ? frames.sum.frames : frames.difference.frames);
    return numberCase(task, adds ? 'sum' : 'difference', fill(question, { a, b }), adds ? a + b : a - b);
  });
}

export function productCases(frames: ArithmeticFrames, n: number, seed: number): StarterCase[] {
  const c = new Chance(seed, 'products');
  return Array.from({ length: n }, () => {
    const [a, b] = [c.whole(2, 12), c.whole(2, 12)];
    return numberCase('products', 'to 12 × 12', fill(c.pick(frames.product.frames), { a, b }), a * b);
  });
}

export function unitCases({ unit }: ArithmeticFrames, n: number, seed: number): StarterCase[] {
  const c = new Chance(seed, 'units');
  return Array.from({ length: n }, () => {
    const { from, to, factor } = c.pick(unit.pairs);
    const count = c.whole(unit.least, unit.most);
    const question = fill(c.pick(unit.frames), { n: count, from, to });
    return numberCase('units', `${from} → ${to}`, question, count * factor);
  });
}

export function weekdayCases({ weekday }: ArithmeticFrames, n: number, seed: number): StarterCase[] {
  const c = new Chance(seed, 'weekdays');
  const kinds = Object.keys(weekday.frames) as (keyof typeof weekday.frames)[];
  return Array.from({ length: n }, () => {
    const kind = c.pick(kinds);
    const day = c.whole(0, 6);
    const steps = kind === 'after' || kind === 'before' ? c.whole(weekday.least, weekday.most) : 1;
    const sign = kind === 'after' || kind === 'next' ? 1 : -1;
    const expected = WEEKDAYS[(((day + sign * steps) % 7) + 7) % 7];
    const question = fill(c.pick(weekday.frames[kind]), { n: steps, d: WEEKDAYS[day] });
    const judge = (answer: string) => judgeWeekday(answer, expected);
    return plainCase({ task: 'weekdays', group: kind, question, expected, judge });
  });
}

function numberCase(task: TaskName, group: string, question: string, expected: number): StarterCase {
  return plainCase({ task, group, question, expected: String(expected), judge: (answer) => judgeNumber(answer, expected) });
}

function fill(frame: string, values: Readonly<Record<string, string | number>>): string {
  return frame.replace(/\{(\w+)\}/g, (_, key: string) => String(values[key]));
}
