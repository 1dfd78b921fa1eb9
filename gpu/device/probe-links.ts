/**
 * How fast this adapter takes expert bytes, answers a question and reads weights: measured the way the engine does each of them, in about
 * a second together. Nothing stays allocated.
 */
import { laneVariant } from '../kernels/lanes.ts';
import { outputMatvecKernel } from '../kernels/output-matvec/output-matvec.ts';
import { lowerQuartile } from '../lower-quartile.ts';
import { quantFormat } from '../quant/formats.ts';
import { planesSizeBytes, toPlanes } from '../quant/planes.ts';
import type { ComputeType } from '../quant/types.ts';
import type { LinkRates } from '../residency/plan/types.ts';
import type { GpuDevice } from './open-device.ts';
import { encodeDispatches, type BoundDispatch } from './pipelines.ts';
import type { BufferRange } from './types.ts';
import { BufferUsage, MapMode } from './usage.ts';

const ROUNDS = 7;
const READBACKS = 9;
/** An upload of one middling expert; long enough together to be told from the clock's noise. */
const UPLOAD_BYTES = 2 ** 21;
const ROUND_MS = 40;
const COLS = 2048;
/** Larger than a GPU's caches; on a software adapter small enough to be done in time. */
const MATRIX_BYTES = { hardware: 96 * 2 ** 20, software: 2 ** 21 };

/** Rejects with `gpu.*`. `nowMs` for tests. */
export async function measureLinks(gpu: GpuDevice, type: ComputeType, nowMs = () => performance.now()): Promise<LinkRates> {
  const readbackMs = await measureReadback(gpu, nowMs);
  const uploadBytesPerSecond = await measureUpload(gpu, type, nowMs);
  const compute = await measureCompute(gpu, type, readbackMs, nowMs);
  return { readbackMs, uploadBytesPerSecond, ...compute };
}

/** Milliseconds of a submission with nothing to do but a copy, its end, and the result mapped. */
export async function measureReadback(gpu: GpuDevice, nowMs = () => performance.now()): Promise<number> {
  const [from, to] = await gpu.buffers.allocateAll([
    { label: 'probe', sizeBytes: 256, usage: BufferUsage.COPY_SRC | BufferUsage.COPY_DST, account: 'activations' },
    { label: 'probe read', sizeBytes: 256, usage: BufferUsage.MAP_READ | BufferUsage.COPY_DST, account: 'staging' },
  ]);
  try {
    const times: number[] = [];
    for (let i = 0; i < READBACKS; i++) {
      const startMs = nowMs();
      const encoder = gpu.device.createCommandEncoder({ label: 'probe' });
      encoder.copyBufferToBuffer(from, 0, to, 0, 256);
      gpu.device.queue.submit([encoder.finish()]);
      await gpu.orLost(to.mapAsync(MapMode.READ));
      to.unmap();
      times.push(nowMs() - startMs);
    }
    return lowerQuartile(times);
  } finally {
    for (const buffer of [from, to]) gpu.buffers.release(buffer);
  }
}

async function measureUpload(gpu: GpuDevice, type: ComputeType, nowMs: () => number): Promise<number> {
  const format = quantFormat(type);
  const nBlocks = Math.floor(UPLOAD_BYTES / format.blockBytes / 16) * 16;
  const blocks = new Uint8Array(nBlocks * format.blockBytes);
  const sizeBytes = planesSizeBytes(format, nBlocks * format.blockWeights);
  const [staging, slot] = await gpu.buffers.allocateAll([
    { label: 'probe staging', sizeBytes, usage: BufferUsage.MAP_WRITE | BufferUsage.COPY_SRC, account: 'staging' },
    { label: 'probe slot', sizeBytes, usage: BufferUsage.STORAGE | BufferUsage.COPY_DST, account: 'experts' },
  ]);
  try {
    const upload = async () => {
      await gpu.orLost(staging.mapAsync(MapMode.WRITE));
      new Uint8Array(staging.getMappedRange()).set(toPlanes(format, blocks, nBlocks));
      staging.unmap();
      const encoder = gpu.device.createCommandEncoder({ label: 'probe' });
      encoder.copyBufferToBuffer(staging, 0, slot, 0, sizeBytes);
      gpu.device.queue.submit([encoder.finish()]);
    };
    const time = async (count: number) => {
      const startMs = nowMs();
      for (let i = 0; i < count; i++) await upload();
      await gpu.idle();
      return nowMs() - startMs;
    };
    return (1000 * blocks.length) / (await usualMs(time));
  } finally {
    for (const buffer of [staging, slot]) gpu.buffers.release(buffer);
  }
}

async function measureCompute(gpu: GpuDevice, type: ComputeType, readbackMs: number, nowMs: () => number) {
  const { software, maxStorageBindingBytes } = gpu.capabilities;
  const format = quantFormat(type);
  const rowBytes = (COLS / format.blockWeights) * format.blockBytes;
  const matrixBytes = Math.min(software ? MATRIX_BYTES.software : MATRIX_BYTES.hardware, maxStorageBindingBytes / 2);
  const rows = Math.max(64, Math.floor(matrixBytes / rowBytes / 64) * 64);
  const weightBytes = planesSizeBytes(format, rows * COLS);
  const usage = BufferUsage.STORAGE | BufferUsage.COPY_DST;
  const sizes = [weightBytes, 16, 4 * COLS, 4 * rows, 4 * rows];
  const buffers = await gpu.buffers.allocateAll(
    sizes.map((sizeBytes) => ({ label: 'probe', sizeBytes, usage, account: 'activations' as const })),
  );
  try {
    const ranges = buffers.map((buffer): BufferRange => ({ buffer, offsetBytes: 0, sizeBytes: buffer.size }));
    const variant = laneVariant(gpu.capabilities);
    const kernels = [rows, 64].map((n) => outputMatvecKernel({ type, cols: COLS, rows: n, firstRow: 0, bias: null }, variant));
    await gpu.createPipelines(kernels.map(({ program }) => program));
    const [large, small] = kernels.map(({ program, grid }) => gpu.bind({ program, ranges, grid }));
    const time = async (dispatches: readonly BoundDispatch[]) => {
      const startMs = nowMs();
      const encoder = gpu.device.createCommandEncoder({ label: 'probe' });
      const pass = encoder.beginComputePass();
      encodeDispatches(pass, dispatches);
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      await gpu.idle();
      return nowMs() - startMs;
    };
    const each = (dispatch: BoundDispatch) =>
      usualMs(async (count) => Math.max(1e-3, (await time(Array.from({ length: count }, () => dispatch))) - readbackMs));
    const [largeMs, smallMs] = [await each(large), await each(small)];
    const computeBytesPerSecond = (1000 * weightBytes) / largeMs;
    return { computeBytesPerSecond, dispatchMs: Math.max(1e-4, smallMs - largeMs * (64 / rows)) };
  } finally {
    for (const buffer of buffers) gpu.buffers.release(buffer);
  }
}

/** Milliseconds of one, by the lower quartile of rounds of as many as last ROUND_MS. */
async function usualMs(time: (count: number) => Promise<number>): Promise<number> {
  await time(1); // the first one makes memory and compiles
  let count = 1;
  let elapsedMs = await time(count);
  while (elapsedMs < ROUND_MS && count < 4096) {
    count *= elapsedMs > ROUND_MS / 4 ? 2 : 4;
    elapsedMs = await time(count);
  }
  const rounds = [elapsedMs];
  while (rounds.length < ROUNDS) rounds.push(await time(count));
  return lowerQuartile(rounds) / count;
}
