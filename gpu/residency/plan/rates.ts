/** The machine's figures without gaps: what was not measured is assumed, and each assumption is a sentence for whoever reads the plan. */
import type { MachineFigures } from './types.ts';

export interface Rates {
  readonly diskBytesPerSecond: number;
  readonly uploadBytesPerSecond: number;
  readonly readbackMs: number;
  readonly computeBytesPerSecond: number;
  readonly dispatchMs: number;
  readonly assumptions: readonly string[];
}

const GB = 1e9;
/** An NVMe drive at queue depth 4 to 8: 2 to 6 GB/s; a SATA one 0.5. The lower end of the former. */
const DISK = 2 * GB;
/** `writeBuffer`-class uploads with a copy on the way: 2 to 4 GB/s. */
const UPLOAD = 3 * GB;
/** A submission, its end and a mapAsync in a browser process: 1 to 3 ms. */
const READBACK_MS = 2;
/** Two thirds of the memory bandwidth of a mid-range discrete card, of dual-channel laptop memory, and a software adapter's throughput. */
const COMPUTE = { discrete: 200 * GB, unified: 40 * GB, software: 0.5 * GB };
/** What the host pays to encode one, however fast the GPU runs it: 2 to 6 µs with Dawn (docs/offload-plan.md). */
const LEAST_DISPATCH_MS = 0.006;
const DISPATCH_MS = { hardware: 0.006, software: 0.03 };

export function ratesOf(machine: MachineFigures): Rates {
  const assumptions: string[] = [];
  const or = (measured: number | null, assumed: number, sentence: string) => {
    if (measured !== null && measured > 0) return measured;
    assumptions.push(sentence);
    return assumed;
  };
  const kind = machine.software ? 'software' : machine.unifiedMemory ? 'unified' : 'discrete';
  const compute = COMPUTE[kind];
  const dispatchMs = machine.software ? DISPATCH_MS.software : DISPATCH_MS.hardware;
  return {
    diskBytesPerSecond: or(machine.diskBytesPerSecond, DISK, `The disk reads ${DISK / GB} GB/s.`),
    uploadBytesPerSecond: or(machine.uploadBytesPerSecond, UPLOAD, `RAM reaches the GPU at ${UPLOAD / GB} GB/s.`),
    readbackMs: or(machine.readbackMs, READBACK_MS, `A question to the GPU takes ${READBACK_MS} ms.`),
    computeBytesPerSecond: or(machine.computeBytesPerSecond, compute, `The GPU reads ${compute / GB} GB/s of weights.`),
    dispatchMs: Math.max(LEAST_DISPATCH_MS, or(machine.dispatchMs, dispatchMs, `A dispatch costs ${dispatchMs} ms.`)),
    assumptions,
  };
}
