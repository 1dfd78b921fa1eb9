/** The starter model through the GPU engine: the answers that the f64 engine gives, but for a close call now and then. */
import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openTestDevice } from '../gpu/node-gpu.ts';
import { openAnswerer } from './answerer.ts';
import { casesOf } from './build-cases.ts';
import { STARTER_MODEL } from './material.ts';

const PER_TASK = 3;
const SEED = 50;
const MAX_TOKENS = 40;
const options = { adapter: 'auto', contextTokens: 1024 } as const;

test(`answers of the GPU and the f64 engine (seed ${SEED})`, async (context) => {
  if (!existsSync(STARTER_MODEL)) return context.skip('resources/models/starter.gguf is not there');
  const device = await openTestDevice();
  if (!device) return context.skip('no WebGPU adapter');
  device.dispose();
  const gpu = await openAnswerer(STARTER_MODEL, { ...options, engine: 'gpu' });
  const reference = await openAnswerer(STARTER_MODEL, { ...options, engine: 'reference' });
  try {
    const tasks = ['guide', 'reading-present', 'sums-2', 'facts', 'refusal'] as const;
    const cases = tasks.flatMap((task) => casesOf(task, PER_TASK, SEED));
    const differing: string[] = [];
    for (const { messages } of cases) {
      const [ours, truth] = [await gpu.answer(messages, MAX_TOKENS), await reference.answer(messages, MAX_TOKENS)];
      if (ours.text !== truth.text) differing.push(`${messages.at(-1)!.content}\n  GPU: ${ours.text}\n  f64: ${truth.text}`);
    }
    // Two logits may lie nearer than f32 can tell; more than one such answer in fifteen would be a fault.
    expect(differing.length, differing.join('\n')).toBeLessThanOrEqual(1);
  } finally {
    await gpu.close();
    await reference.close();
  }
}, 300_000);
