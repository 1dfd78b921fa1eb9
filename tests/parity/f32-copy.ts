/** A copy of a GGUF whose weights are dequantised by us to F32: llama.cpp rounds nothing in it, so its logits judge everything but products. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { copyMetadata, u32Value, writeGguf } from '../../gpu/gguf/write.ts';
import type { GgufFile, GgufTensor } from '../../gpu/gguf/types.ts';
import { invariant } from '../../gpu/invariant.ts';
import { dequantise, isComputeType, quantFormat } from '../../gpu/quant/formats.ts';

/** Rows per piece so that a stacked tensor is never whole in memory. */
const PIECE_WEIGHTS = 1 << 22;

export async function writeF32Copy(source: GgufFile, target: string): Promise<void> {
  const metadata = copyMetadata(source);
  metadata.set('general.file_type', u32Value(0)); // llama.cpp's number for "all F32"
  const handle = openSync(target, 'w');
  try {
    await writeGguf(
      {
        metadata,
        tensors: [...source.tensors.values()].map((tensor) => ({
          name: tensor.name,
          shape: tensor.shape,
          type: 'F32',
          data: () => dequantisedPieces(source, tensor),
        })),
      },
      {
        async write(bytes) {
          for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at);
        },
      },
    );
  } finally {
    closeSync(handle);
  }
}

async function* dequantisedPieces(source: GgufFile, tensor: GgufTensor): AsyncGenerator<Uint8Array> {
  invariant(isComputeType(tensor.type), `${tensor.name} has type ${tensor.type}`);
  const { blockBytes, blockWeights } = quantFormat(tensor.type);
  const pieceBytes = Math.ceil(PIECE_WEIGHTS / blockWeights) * blockBytes;
  for (let at = 0; at < tensor.sizeBytes; at += pieceBytes) {
    const length = Math.min(pieceBytes, tensor.sizeBytes - at);
    const weights = dequantise(tensor.type, await source.sources[tensor.part].read(tensor.offsetBytes + at, length));
    yield new Uint8Array(weights.buffer);
  }
}
