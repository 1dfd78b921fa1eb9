/** F32: one weight per block, little endian. One plane, not moved. */
import type { QuantFormat } from './types.ts';

export const f32Format: QuantFormat = {
  type: 'F32',
  blockWeights: 1,
  blockBytes: 4,
  planes: [[{ offsetBytes: 0, lengthBytes: 4 }]],
  dequantise(blocks, nBlocks, out) {
    const view = new DataView(blocks.buffer, blocks.byteOffset, nBlocks * 4);
    for (let i = 0; i < nBlocks; i++) out[i] = view.getFloat32(i * 4, true);
  },
  quantise(weights, out) {
    const view = new DataView(out.buffer, out.byteOffset, weights.length * 4);
    for (let i = 0; i < weights.length; i++) view.setFloat32(i * 4, weights[i], true);
  },
};
