/** The submission queue with a device that finishes when the test says so. */
import { expect, test } from 'vitest';
import type { GpuDevice } from '../device/open-device.ts';
import { SubmissionQueue } from './prefill-plan-queue.ts';

class FakeDevice {
  nowMs = 0;
  readonly submitted: string[] = [];
  readonly #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  readonly gpu = {
    device: { queue: { submit: ([name]: string[]) => this.submitted.push(name) } },
    idle: () => new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject })),
  } as unknown as GpuDevice;

  /** The oldest submission ends at `nowMs`. */
  async finish(nowMs: number, error?: Error): Promise<void> {
    this.nowMs = nowMs;
    const next = this.#waiting.shift()!;
    if (error) next.reject(error);
    else next.resolve();
    await settle();
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
const commands = (name: string) => name as unknown as GPUCommandBuffer;

function setup() {
  const fake = new FakeDevice();
  return { fake, queue: new SubmissionQueue(fake.gpu, () => fake.nowMs) };
}

test('a third submission waits for the first to end', async () => {
  const { fake, queue } = setup();
  await queue.submit(commands('a'), 1);
  await queue.submit(commands('b'), 1);
  const third = queue.submit(commands('c'), 1);
  await settle();
  expect(fake.submitted).toEqual(['a', 'b']);
  await fake.finish(10);
  await third;
  expect(fake.submitted).toEqual(['a', 'b', 'c']);
});

test('one unit until a time is known, then at most doubling, within 50 ms', async () => {
  const { fake, queue } = setup();
  expect(queue.nextUnits(40)).toBe(1);
  await queue.submit(commands('a'), 1);
  await fake.finish(5); // 5 ms per unit: ten fit
  expect(queue.nextUnits(40)).toBe(2);
  await queue.submit(commands('b'), 8);
  await fake.finish(45); // 40 ms for 8
  expect(queue.nextUnits(40)).toBe(10);
  expect(queue.nextUnits(3)).toBe(3);
  await queue.submit(commands('c'), 2);
  await fake.finish(445);
  expect(queue.nextUnits(40)).toBe(1); // 200 ms each: never less than one
});

test('time that a submission spent waiting behind another does not count', async () => {
  const { fake, queue } = setup();
  await queue.submit(commands('a'), 1);
  await queue.submit(commands('b'), 10);
  await fake.finish(100);
  await fake.finish(120); // 20 ms for 10 units
  expect(queue.nextUnits(40)).toBe(20);
});

test('what fails is told by drain, after which the queue is empty', async () => {
  const { fake, queue } = setup();
  let done = false;
  await queue.submit(commands('a'), 1, () => (done = true));
  await fake.finish(1, new Error('lost'));
  await expect(queue.drain()).rejects.toThrow('lost');
  expect(done).toBe(false);
  await queue.drain();
});
