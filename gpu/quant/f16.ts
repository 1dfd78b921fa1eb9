/** F16: one IEEE half per block, little endian. One plane, not moved. */
import { f32ToF16, readF16, writeU16 } from './half.ts';
import type { QuantFormat } from './types.ts';

export const f16Format: QuantFormat = {
  type: 'F16',
  blockWeights: 1,
  blockBytes: 2,
  planes: [[{ offsetBytes: 0, lengthBytes: 2 }]],
  dequantise(blocks, nBlocks, out) {
    for (let i = 0; i < nBlocks; i++) out[i] = readF16(blocks, i * 2);
  },
  quantise(weights, out) {
    for (let i = 0; i < weights.length; i++) writeU16(out, i * 2, f32ToF16(weights[i]));
  },
};
