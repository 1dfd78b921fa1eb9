/** The GPU engine in the parity harness: one device for all files; without an adapter the comparison is skipped with the reason. */
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import { openDevice, type GpuDevice } from '../../gpu/device/open-device.ts';
import { isConclaveError } from '../../gpu/errors.ts';
import { createReferenceEngine } from '../../gpu/reference/engine.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import { nodeGpu } from '../gpu/node-gpu.ts';
import { nmsePerPosition, spread } from './compare.ts';
import { scientific, spreadCell, type Check } from './report.ts';

/** Of the GPU engine against the reference, at every position and for every type. */
const GPU_BAR = 1e-6;
/** Roundings that fall differently make errors of one order, not of one size: which layer they begin in is chance. */
export const TIMES_ROUNDING = 4;

/** The device, or a sentence why there is none. */
export async function openParityDevice(): Promise<GpuDevice | string> {
  try {
    return await openDevice(await nodeGpu());
  } catch (error) {
    if (isConclaveError(error) && error.code === 'gpu.no-adapter') return error.message;
    throw error;
  }
}

export interface GpuComparison {
  readonly cells: Readonly<Record<string, string>>;
  readonly checks: readonly Check[];
  /** [n, V], of the prefill kernels. */
  readonly logits: Float32Array;
}

/**
 * Logits of the prefill kernels at all positions and of the decode kernels at the first `nDecoded`, against those of the reference. A position over the
 * bar must differ by no more than TIMES_ROUNDING what rounding keys and values to f16 makes there: a value that lies between two f16 numbers may fall to either in f32
 * arithmetic. Over many layers that is 1e-7 to 2e-6 on a real model; with unrounded keys and values f32 sums alone make 1e-12.
 */
export async function compareGpu(
  gpu: GpuDevice,
  model: ModelSpec,
  tokens: readonly number[],
  truth: Float64Array,
  nDecoded: number,
): Promise<GpuComparison> {
  const engine = await createEngine(gpu, { model, contextTokens: tokens.length });
  try {
    const { vocabularySize } = model;
    const logits = await engine.logits(tokens);
    const prefilled = nmsePerPosition(truth, logits, vocabularySize);
    const decodedLogits = await engine.decodeLogits(tokens.slice(0, nDecoded));
    const decoded = nmsePerPosition(truth.subarray(0, nDecoded * vocabularySize), decodedLogits, vocabularySize);
    const isOver = [...prefilled, ...decoded].some((nmse) => !(nmse <= GPU_BAR));
    const kvEffect = isOver ? await kvRoundingEffect(model, tokens, truth) : [];
    const check = (name: string, nmse: readonly number[]): Check => {
      const over = nmse.flatMap((value, position) =>
        value <= GPU_BAR || value <= TIMES_ROUNDING * kvEffect[position] ? [] : [position],
      );
      return {
        name,
        passed: over.length === 0,
        detail: `positions ${over.join(', ')} over ${GPU_BAR} and over ${TIMES_ROUNDING} times what rounding keys and values makes; worst ${scientific(spread(nmse).worst)}`,
      };
    };
    return {
      cells: { 'GPU prefill': spreadCell(spread(prefilled)), 'GPU decode': spreadCell(spread(decoded)) },
      checks: [check('GPU prefill against the reference', prefilled), check('GPU decode against the reference', decoded)],
      logits,
    };
  } finally {
    engine.dispose();
  }
}

async function kvRoundingEffect(model: ModelSpec, tokens: readonly number[], truth: Float64Array): Promise<number[]> {
  const unrounded = await createReferenceEngine(model, { kvRounding: 'none' }).logits(tokens);
  return nmsePerPosition(truth, unrounded, model.vocabularySize);
}
