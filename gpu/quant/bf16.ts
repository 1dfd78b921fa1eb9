/** BF16: the upper half of an f32 per block, little endian. One plane, not moved. */
import { bf16ToF32, f32ToBf16, readU16, writeU16 } from './half.ts';
import type { QuantFormat } from './types.ts';

export const bf16Format: QuantFormat = {
  type: 'BF16',
  blockWeights: 1,
  blockBytes: 2,
  planes: [[{ offsetBytes: 0, lengthBytes: 2 }]],
  dequantise(blocks, nBlocks, out) {
    for (let i = 0; i < nBlocks; i++) out[i] = bf16ToF32(readU16(blocks, i * 2));
  },
  quantise(weights, out) {
    for (let i = 0; i < weights.length; i++) writeU16(out, i * 2, f32ToBf16(weights[i]));
  },
};
