/** The GPU engine in the parity harness: one device for all files; without an adapter the comparison is skipped with the reason. */
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import { openDevice, type GpuDevice } from '../../gpu/device/open-device.ts';
import { isConclaveError } from '../../gpu/errors.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import { nodeGpu } from '../gpu/node-gpu.ts';
import { nmsePerPosition, spread } from './compare.ts';
import { scientific, spreadCell, type Check } from './report.ts';

/** Of the GPU engine against the reference, at every position and for every type. */
const GPU_BAR = 1e-6;

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

/** Logits of the prefill kernels at all positions and of the decode kernels at the first `nDecoded`, against those of the reference. */
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
    const prefilled = spread(nmsePerPosition(truth, logits, vocabularySize));
    const decodedLogits = await engine.decodeLogits(tokens.slice(0, nDecoded));
    const decoded = spread(nmsePerPosition(truth.subarray(0, nDecoded * vocabularySize), decodedLogits, vocabularySize));
    const check = (name: string, worst: number): Check => ({
      name,
      passed: worst <= GPU_BAR,
      detail: `worst NMSE ${scientific(worst)}, at most ${GPU_BAR} allowed`,
    });
    return {
      cells: { 'GPU prefill': spreadCell(prefilled), 'GPU decode': spreadCell(decoded) },
      checks: [
        check('GPU prefill against the reference', prefilled.worst),
        check('GPU decode against the reference', decoded.worst),
      ],
      logits,
    };
  } finally {
    engine.dispose();
  }
}
