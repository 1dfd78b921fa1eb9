/** The bytes of an upcycled model's tensors, in chunks: copies, noisy copies, random routers. */
import { engineError } from '../../gpu/errors.ts';
import type { GgufFile, GgufTensor } from '../../gpu/gguf/types.ts';
import { dequantise, isComputeType, quantFormat, quantise } from '../../gpu/quant/formats.ts';
import type { ComputeType } from '../../gpu/quant/types.ts';
import { SeededRandom } from './seeded-random.ts';

/** Bytes of a plain copy that are in memory at once. */
const COPY_BYTES = 4 * 1024 * 1024;
/** Weights that are dequantised at once (4 MiB of f32): a multiple of every block. */
const CHUNK_WEIGHTS = 1024 * 1024;

export async function* copyTensor(file: GgufFile, tensor: GgufTensor, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < tensor.sizeBytes; at += COPY_BYTES) {
    const length = Math.min(COPY_BYTES, tensor.sizeBytes - at);
    yield await file.sources[tensor.part].read(tensor.offsetBytes + at, length, signal);
  }
}

/** The tensor's weights as f32, in order, in chunks of whole blocks. */
async function* weights(file: GgufFile, tensor: GgufTensor, signal?: AbortSignal): AsyncGenerator<Float32Array> {
  if (!isComputeType(tensor.type)) {
    throw engineError('model.tensor', `${tensor.name} is of type ${tensor.type}, which noise cannot be added to. Use noise 0.`, {
      tensor: tensor.name,
      found: tensor.type,
    });
  }
  const { blockWeights, blockBytes } = quantFormat(tensor.type);
  const chunkBytes = (CHUNK_WEIGHTS / blockWeights) * blockBytes;
  for (let at = 0; at < tensor.sizeBytes; at += chunkBytes) {
    const length = Math.min(chunkBytes, tensor.sizeBytes - at);
    yield dequantise(tensor.type, await file.sources[tensor.part].read(tensor.offsetBytes + at, length, signal));
  }
}

/** One expert: the dense tensor plus N(0, sigma²), written in `type`. The noise depends on seed, tensor and expert only. */
export async function* expertBytes(
  file: GgufFile,
  tensor: GgufTensor,
  expert: { readonly index: number; readonly type: ComputeType; readonly sigma: number; readonly seed: number },
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const random = new SeededRandom(expert.seed, `${tensor.name} expert ${expert.index}`);
  for await (const chunk of weights(file, tensor, signal)) {
    for (let i = 0; i < chunk.length; i++) chunk[i] += expert.sigma * random.gaussian();
    yield quantise(expert.type, chunk);
  }
}

/** Of all the tensor's weights. */
export async function standardDeviation(file: GgufFile, tensor: GgufTensor, signal?: AbortSignal): Promise<number> {
  let n = 0;
  let sum = 0;
  let sumOfSquares = 0;
  for await (const chunk of weights(file, tensor, signal)) {
    n += chunk.length;
    for (const w of chunk) {
      sum += w;
      sumOfSquares += w * w;
    }
  }
  return Math.sqrt(Math.max(0, sumOfSquares / n - (sum / n) ** 2));
}

/** Root mean square of a norm's weights: that of the rows which leave the norm. */
export async function normRms(file: GgufFile, name: string): Promise<number> {
  const tensor = file.tensors.get(name);
  if (!tensor) throw engineError('model.tensor', `The model lacks ${name}.`, { tensor: name });
  let n = 0;
  let sumOfSquares = 0;
  for await (const chunk of weights(file, tensor)) {
    n += chunk.length;
    for (const w of chunk) sumOfSquares += w * w;
  }
  return Math.sqrt(sumOfSquares / n) || 1;
}

/** F32 [nExperts, width], scaled so that the router's logits have a standard deviation of about 1 behind a norm of RMS `rms`. */
export function routerBytes(seed: number, name: string, nExperts: number, width: number, rms: number): Uint8Array {
  const random = new SeededRandom(seed, name);
  return quantise('F32', random.gaussians(nExperts * width, 1 / (rms * Math.sqrt(width))));
}
