/** Weight bytes of one decode step: what its dispatches address, and the least that any exact engine must touch. */
import type { ExpertSlice } from '../architectures/types.ts';
import type { GgufTensor } from '../gguf/types.ts';
import { quantFormat } from '../quant/formats.ts';
import { planesSizeBytes } from '../quant/planes.ts';
import type { FusedMatrices, MatrixBuffer, SlotPart } from './buffers.ts';
import type { PlanContext } from './plan-context.ts';
import { idleVectorBytes } from './weight-layout.ts';

export interface StepBytes {
  readonly touched: number;
  readonly required: number;
}

export function stepWeightBytes({ model, buffers, expertsUsed }: PlanContext): StepBytes {
  const planes = ({ type, rows, cols }: SlotPart | FusedMatrices['parts'][number]) =>
    planesSizeBytes(quantFormat(type), rows * cols);
  const matrix = ({ shards }: MatrixBuffer) => shards.reduce((sum, { range }) => sum + range.sizeBytes, 0);
  const fused = ({ parts }: FusedMatrices) => parts.reduce((sum, part) => sum + planes(part), 0);
  const tensors = (list: readonly (GgufTensor | undefined)[]) => list.reduce((sum, tensor) => sum + (tensor?.sizeBytes ?? 0), 0);
  const slices = (list: readonly ExpertSlice[]) => list.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) / list.length;
  const row = (tensor: GgufTensor) => tensor.sizeBytes / tensor.shape[0];

  let touched = row(model.embedding) + matrix(buffers.head) + buffers.globals.sizeBytes;
  let required = row(model.embedding) + tensors([model.head, model.outputNorm]);
  model.layers.forEach((spec, i) => {
    const { attention, ffnNorm, ffn } = spec;
    const layer = buffers.layers[i];
    const { norm, q, k, v, qBias, kBias, vBias, output, outputBias, qNorm, kNorm, sinks } = attention;
    touched += layer.vectors.range.sizeBytes - idleVectorBytes(spec, expertsUsed[i]) + fused(layer.qkv) + matrix(layer.output);
    required += tensors([norm, q, k, v, qBias, kBias, vBias, output, outputBias, qNorm, kNorm, sinks, ffnNorm]);
    if (ffn.kind === 'dense' && layer.ffn.kind === 'dense') {
      touched += fused(layer.ffn.gateUp) + matrix(layer.ffn.down);
      required += tensors([ffn.gate, ffn.up, ffn.down]);
    } else if (ffn.kind === 'moe' && layer.ffn.kind === 'moe') {
      const { router, slab, shared } = layer.ffn;
      touched += matrix(router) + expertsUsed[i] * (planes(slab.gate) + planes(slab.up) + planes(slab.down));
      const biases = tensors([ffn.biases?.gate, ffn.biases?.up, ffn.biases?.down]) / ffn.moe.nExperts;
      required +=
        tensors([ffn.router, ffn.routerBias]) + expertsUsed[i] * (biases + slices(ffn.gate) + slices(ffn.up) + slices(ffn.down));
      if (shared) touched += fused(shared.up) + matrix(shared.down);
      required += tensors([ffn.shared?.gate, ffn.shared?.up, ffn.shared?.down, ffn.shared?.outputGate]);
    }
  });
  return { touched, required };
}
