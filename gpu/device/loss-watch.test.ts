import { expect, test } from 'vitest';
import { engineError, type ConclaveError } from '../errors.ts';
import { LossWatch } from './loss-watch.ts';

function setUp() {
  let lose!: (error: ConclaveError) => void;
  const watch = new LossWatch(new Promise((resolve) => (lose = resolve)));
  return { watch, lose: () => lose(engineError('gpu.device-lost', 'gone')) };
}

test('work that ends is forgotten, however it ends', async () => {
  const { watch } = setUp();
  for (let i = 0; i < 3; i++) expect(await watch.orLost(Promise.resolve(i))).toBe(i);
  await expect(watch.orLost(Promise.reject(new Error('no')))).rejects.toThrow('no');
  const pending = watch.orLost(new Promise(() => undefined));
  expect(watch.nWaiting).toBe(1);
  void pending;
});

test('a loss ends all that wait, comes before a failure that it made, and stays', async () => {
  const { watch, lose } = setUp();
  const never = [watch.orLost(new Promise(() => undefined)), watch.orLost(new Promise(() => undefined))];
  const failed = watch.orLost(Promise.reject(new Error('map aborted')));
  setTimeout(lose, 5);
  for (const waiting of [...never, failed]) await expect(waiting).rejects.toMatchObject({ code: 'gpu.device-lost' });
  expect(watch.nWaiting).toBe(0);
  await expect(watch.orLost(new Promise(() => undefined))).rejects.toMatchObject({ code: 'gpu.device-lost' });
});
