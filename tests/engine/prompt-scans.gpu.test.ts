/**
 * A prompt reads nearly every expert and counts for none in the RAM pool: what answers filled it with stays, however many prompts come. If
 * their reads counted, the pool would turn to what prompts read, and every further one would find more of it.
 */
import { expect, test } from 'vitest';
import { isChunkAsked } from '../../gpu/residency/chunk-asked.ts';
import { planOf, slotted } from './plans.ts';
import { generate, gpu, GREEDY, someTokens, tinySpec, withEngine } from './setup.ts';

const [CHUNK_TOKENS, N_CHUNKS, N_HELD] = [32, 4, 12];

test.skipIf(!gpu)(`prompt after prompt finds as many experts in a RAM pool of ${N_HELD} that an answer filled`, async () => {
  const model = await tinySpec({ architecture: 'mixtral', type: 'Q4_0', nLayers: 4 });
  const { ffn } = model.layers[0];
  if (ffn.kind !== 'moe') throw new Error('mixtral has experts');
  const { nExperts, nExpertsUsed } = ffn.moe;
  expect(isChunkAsked(CHUNK_TOKENS, nExpertsUsed, nExperts)).toBe(false); // all that have no slot pass
  const expertBytes = ffn.gate[0].sizeBytes + ffn.up[0].sizeBytes + ffn.down[0].sizeBytes;
  const residency = planOf(model, [slotted(nExpertsUsed)], { ramPoolBytes: N_HELD * expertBytes });
  const tokens = someTokens(model, CHUNK_TOKENS * N_CHUNKS);
  await withEngine(model, { contextTokens: 160, prefillChunkTokens: CHUNK_TOKENS, residency, missReach: 1 }, async (engine) => {
    await engine.prefill(tokens.slice(0, 5));
    await generate(engine, 12, GREEDY);
    expect(engine.residency().ramPoolBytes).toBe(residency.ramPoolBytes);
    const experts: { passed: number; served: number }[] = [];
    for (let prompt = 0; prompt < 3; prompt++) {
      const before = engine.residency();
      engine.truncate(0);
      await engine.prefill(tokens);
      const after = engine.residency();
      const passed = (after.expertBytesUploaded - before.expertBytesUploaded) / expertBytes;
      experts.push({ passed, served: passed - (after.expertBytesRead - before.expertBytesRead) / expertBytes });
    }
    expect(experts[0].passed).toBe(N_CHUNKS * model.layers.length * (nExperts - nExpertsUsed));
    expect(experts[0].served).toBeGreaterThan(0);
    expect(experts).toEqual(experts.map(() => experts[0]));
  });
});
