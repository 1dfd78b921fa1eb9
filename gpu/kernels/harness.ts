/**
 * Runs case tables on a device and judges the results; knows nothing of Node or of a test framework, so that the same suite runs in
 * a browser page. Every output lies between guard words; NaN and infinities are looked for first, then NMSE and the greatest error.
 */
import type { GpuDevice, OpenDeviceOptions } from '../device/open-device.ts';
import type { KernelProgram } from '../device/types.ts';
import { alignUp, BufferUsage, MapMode, RANGE_ALIGNMENT_BYTES } from '../device/usage.ts';
import { invariant } from '../invariant.ts';
import { decodeKv, kvLayout } from '../quant/kv-formats.ts';
import type { CaseBinding, CaseData, CaseRun, Expected, KernelCase, Tolerance } from './cases.ts';

export interface CaseReport {
  readonly name: string;
  /** Empty: passed. */
  readonly failures: readonly string[];
  /** The worst of all outputs with a tolerance; 0 where there are only exact ones. */
  readonly nmse: number;
}

export interface SuiteConfiguration {
  readonly name: string;
  readonly options: OpenDeviceOptions;
}

/** Each without what the case before it could lean on. */
export const SUITE_CONFIGURATIONS: readonly SuiteConfiguration[] = [
  { name: 'default', options: { portableLimits: true } },
  { name: 'as on hardware', options: { portableLimits: true, asHardware: true } },
  { name: 'subgroups off', options: { portableLimits: true, disable: ['subgroups'] } },
  { name: 'shader-f16 off', options: { portableLimits: true, disable: ['shader-f16'] } },
];

/** Whether the configuration differs from the default one on this adapter. */
export function configurationApplies(adapter: GPUAdapter, configuration: SuiteConfiguration): boolean {
  return (configuration.options.disable ?? []).every((feature) => adapter.features.has(feature));
}

/** A configuration's device, or why this adapter has none. */
export type OpenedConfiguration = { readonly name: string } & ({ readonly gpu: GpuDevice } | { readonly skipped: string });

/** All configurations side by side; `open` gives null where there is no adapter. The caller disposes of the devices. */
export async function openConfigurations(
  open: (options: OpenDeviceOptions) => Promise<GpuDevice | null>,
): Promise<readonly OpenedConfiguration[]> {
  const opened: OpenedConfiguration[] = [];
  for (const configuration of SUITE_CONFIGURATIONS) {
    const { name, options } = configuration;
    const gpu = await open(options);
    if (!gpu) {
      opened.push({ name, skipped: 'no adapter' });
    } else if (configurationApplies(gpu.adapter, configuration)) {
      opened.push({ name, gpu });
    } else {
      gpu.dispose();
      opened.push({ name, skipped: `${(options.disable ?? []).join()} is not there anyway` });
    }
  }
  return opened;
}

/**
 * The case in every configuration, but where it would be the run of one before to the byte: same program, grid and inputs. What a device
 * without a feature may not see is the same there, because a program that enables one has another text (all-cases.test.ts).
 * `wanted` may leave out more.
 */
export async function runDistinct(
  configurations: readonly OpenedConfiguration[],
  kernelCase: KernelCase,
  wanted: (configuration: string, program: KernelProgram) => boolean = () => true,
): Promise<readonly (CaseReport & { readonly configuration: string })[]> {
  const reports: (CaseReport & { configuration: string })[] = [];
  const runs: CaseRun[] = [];
  for (const configuration of configurations) {
    if ('skipped' in configuration) continue;
    const run = kernelCase.make(configuration.gpu.capabilities);
    if (runs.some((other) => isSameRun(other, run))) continue;
    runs.push(run);
    if (!wanted(configuration.name, run.program)) continue;
    const report = await runCase(configuration.gpu, { name: kernelCase.name, make: () => run });
    reports.push({ configuration: configuration.name, ...report });
  }
  return reports;
}

function isSameRun(a: CaseRun, b: CaseRun): boolean {
  return (
    a.program.key === b.program.key &&
    a.grid.join() === b.grid.join() &&
    a.bindings.every((binding, i) => isSameContent(contentOf(binding), contentOf(b.bindings[i])))
  );
}

/** Contents are whole words (`contentOf`). */
function isSameContent(a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): boolean {
  if (a.length !== b.length) return false;
  const [left, right] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)];
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

const GUARD_WORD = 0xfeedface;
const GUARD_BYTES = 64;
const FILL_WORD = 0xdeadbeef;

interface Placed {
  readonly binding: CaseBinding;
  readonly buffer: GPUBuffer;
  /** Bytes of the binding's content, without the guard at its end. */
  readonly contentBytes: number;
}

/** Never throws for a wrong kernel: what is wrong stands in `failures`. */
export async function runCase(gpu: GpuDevice, kernelCase: KernelCase): Promise<CaseReport> {
  const { device } = gpu;
  const failures: string[] = [];
  let nmse = 0;
  const placed: Placed[] = [];
  const buffers: GPUBuffer[] = [];
  try {
    const run = kernelCase.make(gpu.capabilities);
    await gpu.createPipelines([run.program]);
    invariant(run.bindings.length === run.program.bindings.length, `${kernelCase.name}: one case binding per binding`);
    for (const [i, binding] of run.bindings.entries()) {
      const place = await placeBinding(gpu, binding, run.program.bindings[i] === 'uniform');
      placed.push(place);
      buffers.push(place.buffer);
    }
    device.pushErrorScope('validation');
    const outputs = await dispatch(gpu, run, placed, buffers);
    const refused = await device.popErrorScope();
    if (refused) failures.push(`validation: ${refused.message}`);
    for (const [i, output] of outputs.entries()) {
      if (!output) continue;
      const where = `binding ${i}`;
      failures.push(...guardFailures(output, placed[i].contentBytes, where));
      const { binding } = placed[i];
      if ('expected' in binding) {
        const judged = judge(output.subarray(RANGE_ALIGNMENT_BYTES), binding.expected, where);
        failures.push(...judged.failures);
        nmse = Math.max(nmse, judged.nmse);
      }
    }
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  } finally {
    for (const buffer of buffers) gpu.buffers.release(buffer);
  }
  return { name: kernelCase.name, failures, nmse };
}

/** `[guard 256 B][content][guard 64 B]`; the binding covers the content and the guard after it, so that overruns are seen. */
async function placeBinding(gpu: GpuDevice, binding: CaseBinding, uniform: boolean): Promise<Placed> {
  const content = contentOf(binding);
  const sizeBytes = RANGE_ALIGNMENT_BYTES + content.length + GUARD_BYTES;
  const usage = (uniform ? BufferUsage.UNIFORM : BufferUsage.STORAGE) | BufferUsage.COPY_DST | BufferUsage.COPY_SRC;
  const buffer = await gpu.buffers.allocate({ label: 'case', sizeBytes, usage, account: 'activations' });
  const bytes = new Uint8Array(sizeBytes);
  new Uint32Array(bytes.buffer).fill(GUARD_WORD);
  bytes.set(content, RANGE_ALIGNMENT_BYTES);
  gpu.device.queue.writeBuffer(buffer, 0, bytes);
  return { binding, buffer, contentBytes: content.length };
}

function contentOf(binding: CaseBinding): Uint8Array<ArrayBuffer> {
  if ('scratchBytes' in binding) return new Uint8Array(alignUp(binding.scratchBytes, 16));
  const data = 'input' in binding ? binding.input : binding.initial;
  if (data) {
    const bytes = new Uint8Array(alignUp(data.byteLength, 16));
    bytes.set(bytesOf(data));
    return bytes;
  }
  invariant('expected' in binding, 'a binding without data has an expectation');
  const bytes = new Uint8Array(alignUp(expectedBytes(binding.expected), 16));
  new Uint32Array(bytes.buffer).fill(FILL_WORD);
  return bytes;
}

function bytesOf(data: CaseData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function expectedBytes(expected: Expected): number {
  if (expected.type === 'parts')
    return Math.max(...expected.parts.map((part) => part.offsetBytes + expectedBytes(part.expected)));
  const { length } = expected.values;
  if (expected.type === 'kv') return kvLayout(expected.kvType, expected.headWidth, length / expected.headWidth).sizeBytes;
  return 4 * length;
}

/** Whole buffers of the read-write bindings, null for the others. */
async function dispatch(gpu: GpuDevice, run: CaseRun, placed: readonly Placed[], buffers: GPUBuffer[]) {
  const { device } = gpu;
  const ranges = placed.map(({ buffer }) => ({
    buffer,
    offsetBytes: RANGE_ALIGNMENT_BYTES,
    sizeBytes: buffer.size - RANGE_ALIGNMENT_BYTES,
  }));
  const bound = gpu.bind({ program: run.program, ranges, grid: run.grid });
  const written = placed.map((place, i) => (run.program.bindings[i] === 'read-write' ? place : null));
  const totalBytes = written.reduce((sum, place) => sum + (place?.buffer.size ?? 0), 0);
  const readUsage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
  const read = await gpu.buffers.allocate({ label: 'case read', sizeBytes: totalBytes, usage: readUsage, account: 'staging' });
  buffers.push(read);
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(bound.pipeline);
  pass.setBindGroup(0, bound.bindGroup);
  pass.dispatchWorkgroups(...bound.grid);
  pass.end();
  let offset = 0;
  for (const place of written) {
    if (!place) continue;
    encoder.copyBufferToBuffer(place.buffer, 0, read, offset, place.buffer.size);
    offset += place.buffer.size;
  }
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(MapMode.READ);
  const bytes = new Uint8Array(read.getMappedRange().slice(0));
  read.unmap();
  offset = 0;
  return written.map((place) => {
    if (!place) return null;
    offset += place.buffer.size;
    return bytes.subarray(offset - place.buffer.size, offset);
  });
}

function guardFailures(whole: Uint8Array, contentBytes: number, where: string): string[] {
  const words = new Uint32Array(whole.buffer, whole.byteOffset, whole.length / 4);
  const firstContent = RANGE_ALIGNMENT_BYTES / 4;
  const endContent = firstContent + contentBytes / 4;
  const failures: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const guarded = i < firstContent || (i >= endContent && i < endContent + GUARD_BYTES / 4);
    if (guarded && words[i] !== GUARD_WORD) {
      failures.push(`${where}: guard word ${i - firstContent} (content has ${contentBytes / 4}) was overwritten`);
      break;
    }
  }
  return failures;
}

function judge(content: Uint8Array, expected: Expected, where: string): { failures: string[]; nmse: number } {
  if (expected.type === 'parts') {
    const judged = expected.parts.map((part) =>
      judge(content.subarray(part.offsetBytes), part.expected, `${where} + ${part.offsetBytes}`),
    );
    return { failures: judged.flatMap((j) => j.failures), nmse: Math.max(0, ...judged.map((j) => j.nmse)) };
  }
  const bytes = content.slice(0, alignUp(expectedBytes(expected), 4)).buffer;
  if (expected.type === 'u32') return { failures: judgeExact(new Uint32Array(bytes), expected.values, where), nmse: 0 };
  const got = expected.type === 'f32' ? new Float32Array(bytes) : kvRows(expected, new Uint8Array(bytes));
  return judgeNear(got, expected.values, expected.tolerance, where);
}

function kvRows(expected: Extract<Expected, { type: 'kv' }>, bytes: Uint8Array): Float64Array {
  const { kvType, headWidth, values } = expected;
  return decodeKv(kvType, headWidth, values.length / headWidth, bytes);
}

function judgeExact(got: Uint32Array, want: Uint32Array, where: string): string[] {
  const wrong = Array.from(want.keys()).filter((i) => got[i] !== want[i]);
  if (wrong.length === 0) return [];
  const first = wrong.slice(0, 4).map((i) => `[${i}] ${got[i]} for ${want[i]}`);
  return [`${where}: ${wrong.length} of ${want.length} words differ: ${first.join(', ')}`];
}

function judgeNear(got: Float32Array | Float64Array, want: ArrayLike<number>, tolerance: Tolerance, where: string) {
  const n = want.length;
  const notFinite = Array.from({ length: n }, (_, i) => i).filter((i) => !Number.isFinite(got[i]));
  if (notFinite.length > 0) {
    const i = notFinite[0];
    return {
      failures: [`${where}: ${notFinite.length} of ${n} not finite, first [${i}] ${got[i]} for ${want[i]}`],
      nmse: Infinity,
    };
  }
  let error = 0;
  let power = 0;
  let worst = 0;
  for (let i = 0; i < n; i++) {
    error += (got[i] - want[i]) ** 2;
    power += want[i] ** 2;
    if (Math.abs(got[i] - want[i]) > Math.abs(got[worst] - want[worst])) worst = i;
  }
  const nmse = error === 0 ? 0 : error / power;
  const maxAbs = Math.abs(got[worst] - want[worst]);
  const failures: string[] = [];
  const at = `worst [${worst}] ${got[worst]} for ${want[worst]}`;
  if (!(nmse <= tolerance.nmse)) failures.push(`${where}: NMSE ${nmse.toExponential(2)} > ${tolerance.nmse} (${at})`);
  if (tolerance.maxAbs !== undefined && !(maxAbs <= tolerance.maxAbs))
    failures.push(`${where}: greatest error ${maxAbs.toExponential(2)} > ${tolerance.maxAbs} (${at})`);
  return { failures, nmse };
}
