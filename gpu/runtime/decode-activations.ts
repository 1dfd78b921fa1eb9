/**
 * The buffers that a token passes through in decode, made once. Residual rows and router rows are kept per layer, so that a step can be
 * run again from any layer's `experts-up`; h_mid and h_out are two buffers, so that no dispatch reads and writes one.
 */
import type { ModelSpec } from '../architectures/types.ts';
import type { GpuDevice } from '../device/open-device.ts';
import type { BufferRange } from '../device/types.ts';
import { alignUp, BufferUsage, RANGE_ALIGNMENT_BYTES } from '../device/usage.ts';
import { attentionLayout } from '../kernels/attention-decode/attention-decode.ts';
import { expertRowsLayout, type ExpertRowsLayout } from '../kernels/experts-up/experts-up.ts';
import { logitGroupsBytes } from '../kernels/head-matvec/head-matvec.ts';
import { routedLayout } from '../kernels/router-matvec/router-matvec.ts';
import { ringEntryWords } from '../kernels/sample-greedy/sample-greedy.ts';

/** Most steps of one submission. */
export const MAX_STEPS = 4;
/** The `state` buffer (gpu/README.md). */
export const STATE_BYTES = 256;
/** Of a ring entry, before its record: id, position, miss. */
export const RING_HEAD_BYTES = 16;

export interface DecodeActivations {
  /** Row `layer` of the residual after attention, [D]. */
  hMid(layer: number): BufferRange;
  /** Row `layer` of the residual after the FFN, [D]; row -1 is the embedding. */
  hOut(layer: number): BufferRange;
  /** Router logits, gate logit, shared hidden and scores of a MoE layer (routedLayout). */
  routed(layer: number): BufferRange;
  readonly qkv: BufferRange;
  /** attentionLayout. */
  readonly attention: BufferRange;
  /** Hidden row of a dense layer. */
  readonly hidden: BufferRange;
  readonly expertRows: BufferRange;
  readonly expertRowsLayout: ExpertRowsLayout;
  /** Word of expert rows where the record of MoE layer `layer` starts. */
  recordAt(layer: number): number;
  /** Expert ids of one token, Σ K over the MoE layers. */
  readonly recordWords: number;
  /** [V]. */
  readonly logits: BufferRange;
  readonly groups: BufferRange;
  readonly sampling: BufferRange;
  /** Entry of step 0 … MAX_STEPS − 1 of a submission. */
  ring(step: number): BufferRange;
  readonly ringStrideBytes: number;
  /** All of it, for whoever releases it. */
  readonly buffers: readonly GPUBuffer[];
}

export interface DecodeActivationsShape {
  readonly model: ModelSpec;
  readonly contextTokens: number;
  readonly expertsUsed: readonly number[];
}

const STORAGE = BufferUsage.STORAGE | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;
const UNIFORM = BufferUsage.UNIFORM | BufferUsage.COPY_DST;
const rowStride = (elements: number) => alignUp(4 * elements, RANGE_ALIGNMENT_BYTES);

/** Bytes of each buffer, and where things lie in them. */
export function decodeActivationsLayout({ model, contextTokens, expertsUsed }: DecodeActivationsShape) {
  const { modelWidth, nLayers, nHeads, nKvHeads, headWidth, vocabularySize } = model;
  const records: number[] = [];
  let [recordWords, hiddenWords, denseWidth, routedWords] = [0, 0, 0, 0];
  model.layers.forEach(({ ffn }, layer) => {
    records.push(recordWords);
    if (ffn.kind === 'dense') {
      denseWidth = Math.max(denseWidth, ffn.width);
      return;
    }
    recordWords += expertsUsed[layer];
    hiddenWords = Math.max(hiddenWords, expertsUsed[layer] * ffn.moe.expertWidth);
    routedWords = Math.max(routedWords, routedLayout(ffn.moe.nExperts, ffn.moe.sharedWidth, ffn.moe.gating).length);
  });
  const rows = expertRowsLayout(hiddenWords, Math.max(0, ...expertsUsed), recordWords);
  const attention = attentionLayout({ nHeads, headWidth, contextTokens });
  const ringStrideBytes = rowStride(ringEntryWords(recordWords));
  const routedStrideBytes = rowStride(Math.max(4, routedWords));
  const sizesBytes = {
    hMid: nLayers * rowStride(modelWidth),
    hOut: (nLayers + 1) * rowStride(modelWidth),
    routed: nLayers * routedStrideBytes,
    qkv: 4 * (nHeads + 2 * nKvHeads) * headWidth,
    attention: 4 * attention.length,
    hidden: 4 * Math.max(4, denseWidth),
    expertRows: 4 * Math.max(4, rows.length),
    logits: 4 * vocabularySize,
    groups: logitGroupsBytes(vocabularySize),
    ring: MAX_STEPS * ringStrideBytes,
    sampling: RANGE_ALIGNMENT_BYTES,
  };
  return { sizesBytes, rows, records, recordWords, ringStrideBytes, routedStrideBytes };
}

export async function allocateDecodeActivations(gpu: GpuDevice, shape: DecodeActivationsShape): Promise<DecodeActivations> {
  const { modelWidth, vocabularySize } = shape.model;
  const layout = decodeActivationsLayout(shape);
  const { sizesBytes: sizes, rows, records, recordWords, ringStrideBytes, routedStrideBytes } = layout;
  const names = Object.keys(sizes) as (keyof typeof sizes)[];
  const buffers = await gpu.buffers.allocateAll(
    names.map((name) => ({
      label: `decode ${name}`,
      sizeBytes: sizes[name],
      usage: name === 'sampling' ? UNIFORM : STORAGE,
      account: 'activations' as const,
    })),
  );
  const buffer = Object.fromEntries(names.map((name, i) => [name, buffers[i]])) as Record<keyof typeof sizes, GPUBuffer>;
  const whole = (name: keyof typeof sizes): BufferRange => ({
    buffer: buffer[name],
    offsetBytes: 0,
    sizeBytes: buffer[name].size,
  });
  const row = (name: keyof typeof sizes, index: number, stride: number, sizeBytes = stride): BufferRange => ({
    buffer: buffer[name],
    offsetBytes: index * stride,
    sizeBytes,
  });
  return {
    hMid: (layer) => row('hMid', layer, rowStride(modelWidth), 4 * modelWidth),
    hOut: (layer) => row('hOut', layer + 1, rowStride(modelWidth), 4 * modelWidth),
    routed: (layer) => row('routed', layer, routedStrideBytes),
    qkv: whole('qkv'),
    attention: whole('attention'),
    hidden: whole('hidden'),
    expertRows: whole('expertRows'),
    expertRowsLayout: rows,
    recordAt: (layer) => rows.records + records[layer],
    recordWords,
    logits: row('logits', 0, 0, 4 * vocabularySize),
    groups: whole('groups'),
    sampling: whole('sampling'),
    ring: (step) => row('ring', step, ringStrideBytes),
    ringStrideBytes,
    buffers,
  };
}
