/**
 * The starter model that ships: a fixed fifty questions per task, answered by the f64 engine, which any machine can run
 * (starter.gpu.test.ts holds the GPU to it). Two files, so that two processes can ask. evaluate.ts measures.
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

/**
 * Right answers of fifty at the least: what these weights reached, less two for processors that round differently. The bars that they are
 * to reach, and how far they are from them, stand in resources/models/STARTER.md.
 */
export function holdsFloors(floors: readonly (readonly [TaskName, number])[]): void {
  describe('starter model', () => {
    let model: Answerer | undefined;
    beforeAll(async () => {
      if (existsSync(STARTER_MODEL))
        model = await openAnswerer(STARTER_MODEL, { engine: 'reference', adapter: 'auto', contextTokens: 2048 });
    });
    afterAll(() => model?.close());

    for (const [task, floor] of floors)
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
}
