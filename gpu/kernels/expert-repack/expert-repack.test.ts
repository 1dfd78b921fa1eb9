/** `expert-repack` without a device. */
import { expect, test } from 'vitest';
import { expertRepackGrid, expertRepackProgram, REPACK_HEADER_BYTES, writeRepackHeader } from './expert-repack.ts';

test('the header: three jobs of four words', () => {
  const bytes = new Uint8Array(REPACK_HEADER_BYTES + 16);
  writeRepackHeader(bytes, [
    { type: 'Q8_0', blocksAtBytes: 256, planesAtBytes: 1024, nBlocks: 5 },
    { type: 'F32', blocksAtBytes: 512, planesAtBytes: 2048, nBlocks: 6 },
  ]);
  expect(Array.from(new Uint32Array(bytes.buffer, 0, 9))).toEqual([64, 256, 5, 3, 128, 512, 6, 0, 0]);
});

test('a few words an invocation, not too many workgroups', () => {
  expect(expertRepackGrid(100)).toEqual([1, 3, 1]);
  expect(expertRepackGrid(2 ** 30)).toEqual([128, 3, 1]);
});

test('pieces of two bytes, of one where a run is odd', () => {
  expect(expertRepackProgram('Q4_0').code).toContain('PIECE_BYTES: u32 = 2u');
  expect(expertRepackProgram('MXFP4').code).toContain('PIECE_BYTES: u32 = 1u');
});

test('WGSL', async () => {
  await expect(expertRepackProgram('Q4_0').code).toMatchFileSnapshot('expert-repack.snap.wgsl');
});
