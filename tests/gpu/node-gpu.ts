/**
 * A WebGPU for tests in Node (npm `webgpu`). The object from `create()` must stay referenced for the life of the process: dropping
 * it has crashed Node. Without an adapter the suites skip with the reason; `REQUIRE_GPU=1` makes that a failure.
 */
import { BufferPool } from '../../gpu/device/buffers.ts';
import { openDevice, type GpuDevice, type OpenDeviceOptions } from '../../gpu/device/open-device.ts';
import { isConclaveError } from '../../gpu/errors.ts';

const kept: unknown[] = [];

/** Loads the binding on first use; throws where it cannot be loaded. */
export async function nodeGpu(): Promise<GPU> {
  if (kept.length === 0) {
    const { create } = await import('webgpu');
    kept.push(create([]));
  }
  return kept[0] as GPU;
}

/** A device with portable limits (8 storage buffers, 128 MiB bindings), or null where this machine has no adapter. */
export async function openTestDevice(options: OpenDeviceOptions = {}): Promise<GpuDevice | null> {
  let reason: string;
  try {
    const opened = await openDevice(await nodeGpu(), { portableLimits: true, ...options });
    kept.push(opened);
    return opened;
  } catch (error) {
    if (isConclaveError(error) && error.code !== 'gpu.no-adapter') throw error;
    reason = error instanceof Error ? error.message : String(error);
  }
  if (process.env.REQUIRE_GPU === '1') throw new Error(`REQUIRE_GPU=1 but there is no adapter: ${reason}`);
  console.warn(`GPU suite skipped: ${reason}`);
  return null;
}

let shared: Promise<GpuDevice | null> | undefined;

/**
 * `openTestDevice()`, but one device for the whole process, with a ledger of the caller's own: programs that all engines of tiny models
 * have in common are compiled once for all files of the vitest project `engine`. SwiftShader takes 8 s to compile such an engine and
 * 1 s to run it through a test. Nobody disposes of it.
 */
export async function sharedTestDevice(): Promise<GpuDevice | null> {
  const gpu = await (shared ??= openTestDevice());
  return (
    gpu && {
      device: gpu.device,
      adapter: gpu.adapter,
      capabilities: gpu.capabilities,
      lost: gpu.lost,
      buffers: new BufferPool(gpu.device),
      createPipelines: (programs, onProgress) => gpu.createPipelines(programs, onProgress),
      bind: (dispatch) => gpu.bind(dispatch),
      orLost: (work) => gpu.orLost(work),
      idle: () => gpu.idle(),
      dispose: () => undefined,
    }
  );
}
