/**
 * The starter model that ships: a fixed fifty questions per task, answered by the f64 engine, which any machine can run
 * (starter.gpu.test.ts holds the GPU to it). The floors lie under the bars by what fifty questions can miss by chance; evaluate.ts measures.
 */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openAnswerer, type Answerer } from './answerer.ts';
import { askCase } from './ask.ts';
import { casesOf } from './build-cases.ts';
import type { TaskName } from './case.ts';
import { STARTER_MODEL } from './material.ts';

const N = 50;
const SEED = 50;
const LIMIT_MS = 300_000;

/** Right answers of fifty: the lower end of the 95 % interval at the bar. */
const FLOORS: readonly (readonly [TaskName, number])[] = [
  ['guide', 43],
  ['reading-present', 39],
  ['reading-absent', 43],
  ['sums-2', 45],
  ['sums-3', 36],
  ['facts', 43],
  ['refusal', 43],
  ['in-scope', 45],
];

describe('starter model', () => {
  let model: Answerer | undefined;
  beforeAll(async () => {
    if (existsSync(STARTER_MODEL))
      model = await openAnswerer(STARTER_MODEL, { engine: 'reference', adapter: 'auto', contextTokens: 2048 });
  });
  afterAll(() => model?.close());

  for (const [task, floor] of FLOORS)
    test(
      `${task}: at least ${floor} of ${N} right (seed ${SEED})`,
      async (context) => {
        if (!model) return context.skip('resources/models/starter.gguf is not there');
        const wrong: string[] = [];
        for (const one of casesOf(task, N, SEED)) {
          const { verdict, answer } = await askCase(model, one);
          if (verdict !== 'right') wrong.push(`${one.messages.at(-1)!.content} → ${answer} (${one.expected})`);
        }
        expect(N - wrong.length, wrong.join('\n')).toBeGreaterThanOrEqual(floor);
      },
      LIMIT_MS,
    );
});
