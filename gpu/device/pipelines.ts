/**
 * Pipelines by program key, compiled asynchronously and side by side, with explicit bind-group layouts. A shader that does not
 * compile is a typed error that carries the compiler's messages with line numbers and the whole WGSL.
 */
import { engineError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import { settle } from '../settle.ts';
import type { BindingKind, Dispatch, KernelProgram } from './types.ts';
import { SHADER_STAGE_COMPUTE } from './usage.ts';

/** Every adapter that WebGPU admits has at least this many; no kernel of ours binds more. */
export const MAX_STORAGE_BINDINGS = 8;

const BUFFER_TYPE: Readonly<Record<BindingKind, GPUBufferBindingType>> = {
  uniform: 'uniform',
  read: 'read-only-storage',
  'read-write': 'storage',
};

export interface CompiledProgram {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** A dispatch with its pipeline and bind group: all that is left to do per token is to encode it. */
export interface BoundDispatch {
  readonly name: string;
  readonly pipeline: GPUComputePipeline;
  readonly bindGroup: GPUBindGroup;
  readonly grid: readonly [x: number, y: number, z: number];
}

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();
  readonly #pending = new Map<string, Promise<CompiledProgram>>();
  readonly #ready = new Map<string, CompiledProgram>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /** Compiles what is not yet there. Rejects with `gpu.shader` on the first program that does not compile. */
  async create(programs: Iterable<KernelProgram>, onProgress?: (done: number, total: number) => void): Promise<void> {
    const distinct = new Map<string, KernelProgram>();
    for (const program of programs) distinct.set(program.key, program);
    let done = 0;
    const compiled = [...distinct.values()].map(async (program) => {
      await this.#compile(program);
      onProgress?.(++done, distinct.size);
    });
    await settle(compiled);
  }

  get(program: KernelProgram): CompiledProgram {
    const compiled = this.#ready.get(program.key);
    invariant(compiled, `pipeline ${program.name} was not created`);
    return compiled;
  }

  /** Makes the bind group; do it once per dispatch of a plan, never per token. */
  bind(dispatch: Dispatch): BoundDispatch {
    const { program, ranges, grid } = dispatch;
    invariant(ranges.length === program.bindings.length, `${program.name}: ${ranges.length} ranges bound`);
    const { pipeline, layout } = this.get(program);
    const entries = ranges.map(({ buffer, offsetBytes, sizeBytes }, binding) => ({
      binding,
      resource: { buffer, offset: offsetBytes, size: sizeBytes },
    }));
    const bindGroup = this.#device.createBindGroup({ label: program.name, layout, entries });
    return { name: program.name, pipeline, bindGroup, grid };
  }

  #compile(program: KernelProgram): Promise<CompiledProgram> {
    let pending = this.#pending.get(program.key);
    if (!pending) {
      pending = this.#build(program);
      this.#pending.set(program.key, pending);
    }
    return pending;
  }

  async #build(program: KernelProgram): Promise<CompiledProgram> {
    const nStorage = program.bindings.filter((kind) => kind !== 'uniform').length;
    invariant(nStorage <= MAX_STORAGE_BINDINGS, `${program.name} binds ${nStorage} storage buffers`);
    const { group, pipeline: layout } = this.#layout(program.bindings);
    this.#device.pushErrorScope('validation');
    const module = this.#device.createShaderModule({ label: program.name, code: program.code });
    const scope = this.#device.popErrorScope();
    const refused = await scope;
    if (refused) throw await shaderError(program, module, refused.message);
    try {
      const pipeline = await this.#device.createComputePipelineAsync({
        label: program.name,
        layout,
        compute: { module, entryPoint: 'main', constants: { ...program.constants } },
      });
      const compiled = { pipeline, layout: group };
      this.#ready.set(program.key, compiled);
      return compiled;
    } catch (error) {
      throw await shaderError(program, module, error instanceof Error ? error.message : String(error));
    }
  }

  #layout(bindings: readonly BindingKind[]) {
    const key = bindings.join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      const group = this.#device.createBindGroupLayout({
        label: key,
        entries: bindings.map((kind, binding) => ({
          binding,
          visibility: SHADER_STAGE_COMPUTE,
          buffer: { type: BUFFER_TYPE[kind] },
        })),
      });
      layout = { group, pipeline: this.#device.createPipelineLayout({ label: key, bindGroupLayouts: [group] }) };
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}

/** Records the dispatches into one compute pass, skipping what is already set. */
export function encodeDispatches(pass: GPUComputePassEncoder, dispatches: readonly BoundDispatch[]): void {
  let pipeline: GPUComputePipeline | undefined;
  for (const dispatch of dispatches) {
    if (dispatch.pipeline !== pipeline) pass.setPipeline((pipeline = dispatch.pipeline));
    pass.setBindGroup(0, dispatch.bindGroup);
    pass.dispatchWorkgroups(dispatch.grid[0], dispatch.grid[1], dispatch.grid[2]);
  }
}

async function shaderError(program: KernelProgram, module: GPUShaderModule, reason: string) {
  const info = await module.getCompilationInfo();
  const messages = info.messages
    .filter((message) => message.type === 'error')
    .map((message) => `${program.name}:${message.lineNum}:${message.linePos} ${message.message}`);
  const text = messages.length ? messages.join('\n') : reason;
  return engineError(
    'gpu.shader',
    `The kernel ${program.name} does not compile on this GPU:\n${text}\nPlease report this with the text below.\n${numbered(program.code)}`,
    { kernel: program.name, messages: text, wgsl: program.code },
  );
}

function numbered(code: string): string {
  return code
    .split('\n')
    .map((line, i) => `${String(i + 1).padStart(4)} ${line}`)
    .join('\n');
}
