/** Bytes that the store hands out are those of the expert that was asked for, whatever the same turn reads besides. */
import { expect, test } from 'vitest';
import { tinyModel } from '../../../tests/fixtures/tiny-model.ts';
import { readModel } from '../../architectures/read-model.ts';
import { memorySource } from '../../gguf/memory-source.ts';
import { openGguf } from '../../gguf/read.ts';
import { ExpertStore, stagedParts } from './expert-store.ts';

test.each([1, 2, 3])('a pool of %i experts, several asked for in one turn', async (nHeld) => {
  const source = memorySource('tiny.gguf', tinyModel({ architecture: 'mixtral', type: 'Q8_0', seed: 5 }));
  const { ffn } = readModel(await openGguf(source)).layers[0];
  if (ffn.kind !== 'moe') throw new Error('mixtral has experts');
  const { sizeBytes } = stagedParts({ ffn, expert: 0 });
  const store = new ExpertStore([source], nHeld * sizeBytes);
  /** As a worker of the loader does: read, and use at once. */
  const take = async (expert: number, isScan: boolean) => {
    const used = Buffer.alloc(sizeBytes);
    const { parts } = stagedParts({ ffn, expert });
    const tier = await store.read({ layer: 0, expert, ffn, isScan }, new Uint8Array(sizeBytes), (bytes, i, fromByte) =>
      used.set(bytes, parts[i].atBytes + fromByte),
    );
    return { tier, bytes: used };
  };
  const wanted: Buffer[] = [];
  for (let expert = 7; expert >= 0; expert--) wanted[expert] = (await take(expert, true)).bytes;
  // What only scans have read is there, and leaves for what is asked for in the same turn.
  const experts = [7, 0, 1, 2];
  const got = await Promise.all(experts.map((expert) => take(expert, expert === 7)));
  expect(got.map(({ tier }) => tier)).toEqual(['ram', 'disk', 'disk', 'disk']);
  expect((await take(7, true)).tier).toBe('disk');
  for (const [i, { bytes }] of got.entries()) expect(Buffer.compare(bytes, wanted[experts[i]]), `expert ${experts[i]}`).toBe(0);
});
