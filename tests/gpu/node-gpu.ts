/**
 * A WebGPU for tests in Node (npm `webgpu`). The object from `create()` must stay referenced for the life of the process: dropping
 * it has crashed Node. Without an adapter the suites skip with the reason; `REQUIRE_GPU=1` makes that a failure.
 */
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
