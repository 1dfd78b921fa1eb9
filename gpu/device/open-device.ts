/**
 * From `navigator.gpu` to a device: the adapter ladder (high-performance, low-power, software), the limits we need and no more,
 * and one object that owns pipelines and buffers. The adapter stays referenced: dropping it ends some implementations.
 */
import { engineError, type ConclaveError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import { BufferPool } from './buffers.ts';
import { describeAdapter, readCapabilities } from './capabilities.ts';
import { LossWatch } from './loss-watch.ts';
import { PipelineCache, type BoundDispatch } from './pipelines.ts';
import type { DeviceCapabilities, Dispatch, KernelProgram } from './types.ts';

const OPTIONAL_FEATURES = ['subgroups', 'shader-f16'] as const;
export type OptionalFeature = (typeof OPTIONAL_FEATURES)[number];

export interface OpenDeviceOptions {
  /** Where the ladder starts. Default `high-performance`. */
  readonly powerPreference?: GPUPowerPreference;
  /** Limits that any WebGPU adapter has (8 storage buffers, 128 MiB bindings, 256 MiB buffers), whatever this one offers: for tests. */
  readonly portableLimits?: boolean;
  /** Choose kernel variants as for hardware although the adapter is software: for tests of those variants. */
  readonly asHardware?: boolean;
  /** Features to go without although the adapter has them: for tests and as a way round driver bugs. */
  readonly disable?: readonly OptionalFeature[];
}

export interface GpuDevice {
  readonly device: GPUDevice;
  readonly adapter: GPUAdapter;
  readonly capabilities: DeviceCapabilities;
  readonly buffers: BufferPool;
  /**
   * Resolves when nothing on the device can be trusted any more, never when we disposed of it ourselves: `gpu.device-lost` when it is gone,
   * `gpu.out-of-memory` when work that nobody asked about found no memory and may be half done.
   */
  readonly lost: Promise<ConclaveError>;
  /** Compiles programs side by side; call it before `bind`. Throws `gpu.shader`. */
  createPipelines(programs: Iterable<KernelProgram>, onProgress?: (done: number, total: number) => void): Promise<void>;
  /** A dispatch ready to encode. Once per dispatch of a plan. */
  bind(dispatch: Dispatch): BoundDispatch;
  /** The outcome of `work` on this device (a mapAsync, say); rejects with what `lost` says where it failed because of that. */
  orLost<T>(work: Promise<T>): Promise<T>;
  /** Resolves when all submitted work is done; rejects with what `lost` says where that comes first. */
  idle(): Promise<void>;
  /** Destroys the device and everything on it. */
  dispose(): void;
}

/** Throws `gpu.no-adapter` where no rung of the ladder gives a device; details say what each rung answered. */
export async function openDevice(gpu: GPU, options: OpenDeviceOptions = {}): Promise<GpuDevice> {
  const answers: string[] = [];
  for (const rung of ladder(options.powerPreference)) {
    const name = rung.forceFallbackAdapter ? 'software' : (rung.powerPreference ?? 'any');
    const adapter = await gpu.requestAdapter(rung).catch((error: unknown) => {
      answers.push(`${name}: ${String(error)}`);
      return null;
    });
    if (!adapter) {
      answers.push(`${name}: none`);
      continue;
    }
    try {
      return await fromAdapter(gpu, adapter, options);
    } catch (error) {
      answers.push(`${name} (${describeAdapter(adapter.info)}): ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw engineError(
    'gpu.no-adapter',
    `No WebGPU adapter could be opened (${answers.join('; ')}). Update the graphics driver, or install a software one (Linux: Vulkan with mesa or SwiftShader).`,
    { answers: answers.join('; ') },
  );
}

function ladder(first: GPUPowerPreference = 'high-performance'): GPURequestAdapterOptions[] {
  const second = first === 'high-performance' ? 'low-power' : 'high-performance';
  return [{ powerPreference: first }, { powerPreference: second }, { forceFallbackAdapter: true }];
}

async function fromAdapter(gpu: GPU, adapter: GPUAdapter, options: OpenDeviceOptions): Promise<GpuDevice> {
  const disabled = new Set<string>(options.disable ?? []);
  const requiredFeatures = OPTIONAL_FEATURES.filter((feature) => adapter.features.has(feature) && !disabled.has(feature));
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  // Everything else stays at the limits that every adapter has: our kernels are written for those.
  const requiredLimits = options.portableLimits ? {} : { maxStorageBufferBindingSize, maxBufferSize };
  const device = await adapter.requestDevice({ label: 'conclave', requiredFeatures, requiredLimits });
  return new OpenedDevice(gpu, adapter, device, options.asHardware ?? false);
}

class OpenedDevice implements GpuDevice {
  readonly adapter: GPUAdapter;
  readonly device: GPUDevice;
  readonly capabilities: DeviceCapabilities;
  readonly buffers: BufferPool;
  readonly lost: Promise<ConclaveError>;
  readonly #losses: LossWatch;
  readonly #pipelines: PipelineCache;
  #disposed = false;

  constructor(gpu: GPU, adapter: GPUAdapter, device: GPUDevice, asHardware: boolean) {
    this.adapter = adapter;
    this.device = device;
    const capabilities = readCapabilities(gpu, adapter, device);
    this.capabilities = asHardware ? { ...capabilities, software: false } : capabilities;
    this.buffers = new BufferPool(device);
    this.#pipelines = new PipelineCache(device);
    this.lost = new Promise((resolve) => {
      void device.lost.then(({ reason, message }) => {
        if (!this.#disposed) resolve(lostError(reason, message));
      });
      device.addEventListener('uncapturederror', ({ error }) => {
        if (error.constructor.name === 'GPUOutOfMemoryError') resolve(memoryError(error.message));
      });
    });
    this.#losses = new LossWatch(this.lost);
  }

  createPipelines(programs: Iterable<KernelProgram>, onProgress?: (done: number, total: number) => void): Promise<void> {
    return this.orLost(this.#pipelines.create(programs, onProgress));
  }

  bind(dispatch: Dispatch): BoundDispatch {
    return this.#pipelines.bind(dispatch);
  }

  async idle(): Promise<void> {
    await this.orLost(this.device.queue.onSubmittedWorkDone());
  }

  dispose(): void {
    invariant(!this.#disposed, 'device disposed of twice');
    this.#disposed = true;
    this.device.destroy();
  }

  orLost<T>(work: Promise<T>): Promise<T> {
    return this.#losses.orLost(work);
  }
}

/** How drivers and WebGPU implementations say that it was memory. */
const MEMORY_WORDS = /out of (\w+ )?memory|out_of_(\w+_)?memory|outofmemory/i;

function lostError(reason: string, message: string): ConclaveError {
  return engineError(
    'gpu.device-lost',
    `The GPU device was lost (${reason || 'unknown'}: ${message || 'no message'}). The model must be loaded again.`,
    { reason, message, outOfMemory: MEMORY_WORDS.test(message) },
  );
}

function memoryError(message: string): ConclaveError {
  return engineError(
    'gpu.out-of-memory',
    `The GPU ran out of memory while it worked (${message || 'no message'}). Close other programs that use the GPU, shorten the context or choose a smaller model.`,
    { message },
  );
}

/** Whether what failed on a device is cured by taking less of its memory. */
export function isForMemory({ code, details }: ConclaveError): boolean {
  return code === 'gpu.out-of-memory' || (code === 'gpu.device-lost' && details.outOfMemory === true);
}
