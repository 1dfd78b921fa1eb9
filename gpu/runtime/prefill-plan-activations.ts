/** The buffers that a chunk passes through, `[T, …]` each, with T the chunk's capacity; made once, every layer uses the same ones. */
import type { ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import type { BufferRange } from '../device/types.ts';
import { BufferUsage } from '../device/usage.ts';
import { chunkBytes } from '../kernels/prefill-shared/chunk.ts';
import { maxTiles } from '../kernels/experts-sort/experts-sort.ts';
import { wholeBuffer } from './prefill-plan-steps.ts';

const NAMES = [
  'tokens', // u32 [T]
  'residual', // [T, D] into and out of each layer
  'middle', // [T, D] after attention
  'normed', // [T, D]
  'qkv', // [T, (H + 2G)·Hd]
  'queries', // [T, H·Hd]
  'attended', // [T, H·Hd]
  'gateUp', // [T, 2F], or the shared expert's [T, 2Fs + 4] with its gate logit
  'hidden', // [T, F] or [T, Fs]
  'sharedOutput', // [T, D]
  'routerLogits', // [T, E]
  'expertIds', // u32 [T, K]
  'expertWeights', // [T, K]
  'pairs', // u32 [T·K]
  'tiles', // vec4<u32>
  'pairHidden', // [T·K, F]
  'pairOutputs', // [T·K, D]
] as const;
export type ActivationName = (typeof NAMES)[number];

export type Activations = Readonly<Record<ActivationName, BufferRange>> & {
  /** The chunk uniform. */
  readonly chunk: BufferRange;
};

/** The shared expert's gate, up and gate-logit columns side by side; a multiple of 4. */
export function sharedStride(sharedWidth: number): number {
  return 2 * sharedWidth + 4;
}

/** f32 or u32 elements of each buffer for `nTokens`. Those that the model has no use for get the least size. */
function elements(model: ModelSpec, expertsUsed: readonly number[], nTokens: number): Record<ActivationName, number> {
  const { modelWidth, nHeads, nKvHeads, headWidth } = model;
  const perToken = { gateUp: 0, hidden: 0, shared: 0, logits: 0, pairs: 0, pairHidden: 0, pairOutputs: 0 };
  let tiles = 0;
  for (const { ffn, index } of model.layers) {
    const grow = (name: keyof typeof perToken, n: number) => (perToken[name] = Math.max(perToken[name], n));
    if (ffn.kind === 'dense') {
      grow('gateUp', 2 * ffn.width);
      grow('hidden', ffn.width);
      continue;
    }
    const nUsed = expertsUsed[index];
    grow('logits', ffn.moe.nExperts);
    grow('pairs', nUsed);
    grow('pairHidden', nUsed * ffn.moe.expertWidth);
    grow('pairOutputs', nUsed * modelWidth);
    tiles = Math.max(tiles, 4 * maxTiles(ffn.moe.nExperts, nTokens * nUsed));
    if (ffn.shared) {
      grow('gateUp', sharedStride(ffn.moe.sharedWidth));
      grow('hidden', ffn.moe.sharedWidth);
      grow('shared', modelWidth);
    }
  }
  return {
    tokens: nTokens,
    residual: nTokens * modelWidth,
    middle: nTokens * modelWidth,
    normed: nTokens * modelWidth,
    qkv: nTokens * (nHeads + 2 * nKvHeads) * headWidth,
    queries: nTokens * nHeads * headWidth,
    attended: nTokens * nHeads * headWidth,
    gateUp: nTokens * perToken.gateUp,
    hidden: nTokens * perToken.hidden,
    sharedOutput: nTokens * perToken.shared,
    routerLogits: nTokens * perToken.logits,
    expertIds: nTokens * perToken.pairs,
    expertWeights: nTokens * perToken.pairs,
    pairs: nTokens * perToken.pairs,
    tiles,
    pairHidden: nTokens * perToken.pairHidden,
    pairOutputs: nTokens * perToken.pairOutputs,
  };
}

/** The longest chunk ≤ `wanted` whose buffers can each be bound whole. */
export function largestChunk(model: ModelSpec, expertsUsed: readonly number[], wanted: number, maxBindingBytes: number): number {
  for (let nTokens = wanted; nTokens > 1; nTokens--) {
    if (4 * Math.max(...Object.values(elements(model, expertsUsed, nTokens))) <= maxBindingBytes) return nTokens;
  }
  return 1;
}

/** Bytes of each buffer of a chunk of `chunkTokens`. */
export function activationBytes(
  model: ModelSpec,
  expertsUsed: readonly number[],
  chunkTokens: number,
): Record<ActivationName, number> {
  const sizes = elements(model, expertsUsed, chunkTokens);
  return Object.fromEntries(NAMES.map((name) => [name, Math.max(16, 4 * sizes[name])])) as Record<ActivationName, number>;
}

export const CHUNK_UNIFORM_BYTES = chunkBytes(0, 0).length;

const STORAGE = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;

/** The caller releases all of `buffers`. */
export async function allocateActivations(
  gpu: GpuDevice,
  model: ModelSpec,
  expertsUsed: readonly number[],
  chunkTokens: number,
): Promise<{ activations: Activations; buffers: readonly GPUBuffer[] }> {
  const sizes = activationBytes(model, expertsUsed, chunkTokens);
  const requests = NAMES.map((name) => ({ label: `prefill ${name}`, sizeBytes: sizes[name], usage: STORAGE }));
  const chunk = { label: 'prefill chunk', sizeBytes: CHUNK_UNIFORM_BYTES, usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST };
  const buffers = await gpu.buffers.allocateAll([...requests, chunk].map((r) => ({ ...r, account: 'activations' as const })));
  const ranges = [...NAMES, 'chunk' as const].map((name, i) => [name, wholeBuffer(buffers[i])] as const);
  return { activations: Object.fromEntries(ranges) as Activations, buffers };
}
