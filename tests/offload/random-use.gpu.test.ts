/**
 * Whatever is asked of an engine, in whatever order, experts that come and go change nothing: two engines, one with all experts resident, get
 * the same requests by seed (prompts, answers given up in the middle, replays, going back, logits, steps measured); ids, positions and the
 * bits of keys and values must be equal. The other engine's RAM pool changes its size in between. CONCLAVE_SEEDS=20 tries more.
 */
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../gpu/runtime/engine.ts';
import type { Engine } from '../../gpu/runtime/types.ts';
import { hostile, planOf, slotted, STREAMED } from '../engine/plans.ts';
import { allKv, bits, gpu, tinySpec } from '../engine/setup.ts';
import { SeededRandom } from '../../main/library/seeded-random.ts';

const CONTEXT_TOKENS = 96;
const N_REQUESTS = 24;
const nSeeds = Number(process.env.CONCLAVE_SEEDS ?? 1);

type Request = (engine: Engine) => Promise<unknown>;

describe.skipIf(!gpu)('requests by chance', () => {
  test.each(Array.from({ length: nSeeds }, (_, i) => 100 + i))('seed %i', { timeout: 120_000 }, async (seed) => {
    const model = await tinySpec({ architecture: 'mixtral', type: 'Q8_0', nLayers: 3, nExperts: 12, nExpertsUsed: 2 });
    const random = new SeededRandom(seed, 'requests');
    const below = (n: number) => random.u32() % n;
    const someIds = (count: number) => Array.from({ length: count }, () => below(model.vocabularySize));
    const residency = planOf(model, [slotted(2 + below(3)), STREAMED], { ramPoolBytes: 0, transitSlots: 2 + below(3) });
    const shape = { model, contextTokens: CONTEXT_TOKENS, prefillChunkTokens: 8 };
    const engines = [await createEngine(gpu!, shape), await createEngine(gpu!, { ...shape, residency, policy: hostile(seed) })];
    const [{ ffn }] = model.layers;
    if (ffn.kind !== 'moe') throw new Error('mixtral has experts');
    const expertBytes = ffn.gate[0].sizeBytes + ffn.up[0].sizeBytes + ffn.down[0].sizeBytes;
    await engines[1].measureStepMs?.();
    let position = 0;
    const done: string[] = [];
    try {
      for (let i = 0; i < N_REQUESTS; i++) {
        const { name, request } = next();
        done.push(name);
        const [wanted, got] = [await request(engines[0]), await request(engines[1])];
        expect(got, done.join('; ')).toEqual(wanted);
        expect(engines[1].position, done.join('; ')).toBe(engines[0].position);
        position = engines[0].position;
        engines[1].resizeRamPool(below(8) * expertBytes);
      }
      if (position > 0) expect(await allKv(engines[1], position)).toEqual(await allKv(engines[0], position));
      expect(engines[1].residency().missesFromDisk).toBeGreaterThan(0);
    } finally {
      for (const engine of engines) engine.dispose();
    }

    function next(): { name: string; request: Request } {
      const room = CONTEXT_TOKENS - position - 2;
      const kind = room < 20 ? 0 : below(6);
      if (kind === 0) {
        const to = below(position + 1);
        const request: Request = async (engine) => {
          engine.truncate(to);
          if (to === 0) await engine.measureStepMs?.();
        };
        return { name: `back to ${to}`, request };
      }
      if (kind === 5) {
        const ids = someIds(1 + below(6));
        return { name: `logits of ${ids.length}`, request: async (engine) => bits(await engine.decodeLogits(ids)) };
      }
      const ids = someIds(1 + below(10));
      const read: Request = (engine) => engine.prefill(ids);
      if (kind === 1) return { name: `prompt of ${ids.length}`, request: read };
      if (kind === 2) {
        const more = someIds(1 + below(4));
        return {
          name: `prompt of ${ids.length}, replay of ${more.length}`,
          request: async (engine) => {
            await read(engine);
            await engine.replay(more);
          },
        };
      }
      const [count, stopAt] = [1 + below(6), 1 + below(6)];
      const sampling = { temperature: below(2), topK: 20, topP: 0.95, minP: 0, seed: below(1000) };
      return {
        name: `prompt of ${ids.length}, answer of ${count}, left at ${stopAt}`,
        request: async (engine) => {
          await read(engine);
          const said: number[] = [];
          for await (const { id } of engine.generate({ maxTokens: count, sampling, endIds: new Set() })) {
            said.push(id);
            if (said.length === stopAt) break;
          }
          return said;
        },
      };
    }
  });
});
