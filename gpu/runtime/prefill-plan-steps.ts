/**
 * A prefill plan's dispatches before and after they are bound. A step's uniform parameters stand among its ranges as bytes;
 * binding puts them all into one buffer. Only the grid depends on the number of tokens of a chunk.
 */
import type { GpuDevice } from '../device/open-device.ts';
import type { BoundDispatch } from '../device/pipelines.ts';
import type { BufferRange, KernelProgram } from '../device/types.ts';
import { BufferUsage } from '../device/usage.ts';
import type { Grid } from '../kernels/prefill-shared/chunk.ts';
import { UNIFORM_SLOT_BYTES } from '../kernels/uniforms.ts';

export interface PrefillStep {
  readonly program: KernelProgram;
  /** Binding i: a range, or the bytes of a uniform. */
  readonly bindings: readonly (BufferRange | Uint8Array<ArrayBuffer>)[];
  grid(nTokens: number): Grid;
}

export interface BoundStep {
  readonly dispatch: BoundDispatch;
  grid(nTokens: number): Grid;
}

export function wholeBuffer(buffer: GPUBuffer): BufferRange {
  return { buffer, offsetBytes: 0, sizeBytes: buffer.size };
}

/** Binds groups of steps whose pipelines exist; `uniforms` is the buffer that holds their parameters (null: there are none). */
export async function bindSteps(
  gpu: GpuDevice,
  groups: readonly (readonly PrefillStep[])[],
): Promise<{ groups: BoundStep[][]; uniforms: GPUBuffer | null }> {
  const slots = groups.flat().flatMap((step) => step.bindings.filter((binding) => binding instanceof Uint8Array));
  let uniforms: GPUBuffer | null = null;
  if (slots.length > 0) {
    uniforms = await gpu.buffers.allocate({
      label: 'prefill parameters',
      sizeBytes: slots.length * UNIFORM_SLOT_BYTES,
      usage: BufferUsage.UNIFORM | BufferUsage.COPY_DST,
      account: 'activations',
    });
    const bytes = new Uint8Array(uniforms.size);
    slots.forEach((slot, i) => bytes.set(slot, i * UNIFORM_SLOT_BYTES));
    gpu.device.queue.writeBuffer(uniforms, 0, bytes);
  }
  let next = 0;
  const range = (binding: BufferRange | Uint8Array): BufferRange =>
    binding instanceof Uint8Array
      ? { buffer: uniforms!, offsetBytes: UNIFORM_SLOT_BYTES * next++, sizeBytes: binding.length }
      : binding;
  const bound = groups.map((steps) =>
    steps.map((step) => ({
      dispatch: gpu.bind({ program: step.program, ranges: step.bindings.map(range), grid: [1, 1, 1] }),
      grid: step.grid,
    })),
  );
  return { groups: bound, uniforms };
}

/** Records the steps for a chunk of `nTokens`. */
export function encodeSteps(pass: GPUComputePassEncoder, steps: readonly BoundStep[], nTokens: number): void {
  let pipeline: GPUComputePipeline | undefined;
  for (const { dispatch, grid } of steps) {
    if (dispatch.pipeline !== pipeline) pass.setPipeline((pipeline = dispatch.pipeline));
    pass.setBindGroup(0, dispatch.bindGroup);
    pass.dispatchWorkgroups(...grid(nTokens));
  }
}
