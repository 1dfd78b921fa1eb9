/**
 * Three kinds of computer in the planner's numbers. Memory rates are the makers'; a decode kernel of ours is taken to reach half of them, which
 * nothing has measured yet on such hardware. Links are what WebGPU gets, not what the bus could.
 */
import type { MachineFigures } from '../../plan/types.ts';

export interface SyntheticMachine {
  readonly name: string;
  readonly figures: MachineFigures;
  /** Largest storage buffer binding. */
  readonly bindingBytes: number;
  readonly sources: readonly string[];
}

const GB = 1e9;
const GIB = 2 ** 30;
const KERNEL_SHARE = 0.5;

const READBACK =
  'read-back 2 ms: 2.05 ms a layer measured on an M4 (arjvnv/BigRig, docs/HOW-IT-WORKS.md); 1 to 3 ms for mapAsync';
const DISK = 'disk 3.5 GB/s: an ordinary NVMe drive read 4 to 8 at a time (2 to 6 GB/s; 5.5 on an M3 Max, danveloper/flash-moe)';

export const SYNTHETIC_MACHINES: Readonly<Record<string, SyntheticMachine>> = {
  'discrete-12gb': {
    name: 'discrete GPU with 12 GB, 32 GB RAM',
    bindingBytes: 2 * GIB - 4,
    figures: {
      unifiedMemory: false,
      software: false,
      gpuFreeBytes: 11 * GIB,
      ramFreeBytes: 24 * GIB,
      ramTotalBytes: 32 * GIB,
      diskBytesPerSecond: 3.5 * GB,
      uploadBytesPerSecond: 4 * GB,
      readbackMs: 2,
      computeBytesPerSecond: KERNEL_SHARE * 360 * GB,
      dispatchMs: 0.006,
    },
    sources: [
      'GeForce RTX 3060 12 GB: 360 GB/s (NVIDIA); 1 GiB is the desktop’s',
      'upload 4 GB/s: 2 to 4 GB/s for writeBuffer and mapped staging, though PCIe 4.0 x16 carries 25.6 GB/s with pinned memory under CUDA (kekzl/imp)',
      READBACK,
      DISK,
    ],
  },
  'unified-16gb': {
    name: 'Apple M4 with 16 GB of unified memory',
    bindingBytes: 4 * GIB - 4,
    figures: {
      unifiedMemory: true,
      software: false,
      gpuFreeBytes: 10.7 * GIB,
      ramFreeBytes: 12 * GIB,
      ramTotalBytes: 16 * GIB,
      diskBytesPerSecond: 3 * GB,
      uploadBytesPerSecond: 4 * GB,
      readbackMs: 2,
      computeBytesPerSecond: KERNEL_SHARE * 120 * GB,
      dispatchMs: 0.006,
    },
    sources: [
      'Apple M4: 120 GB/s (Apple); Metal recommends at most about two thirds of 16 GB to a GPU',
      'upload 4 GB/s: one memory copy from the page cache, as fast as a read into a mapped buffer was here (3.5 to 5 GB/s)',
      READBACK,
      'disk 3 GB/s: the base model’s drive (assumed)',
    ],
  },
  'integrated-16gb': {
    name: 'laptop with an integrated GPU and 16 GB',
    bindingBytes: 2 * GIB - 4,
    figures: {
      unifiedMemory: true,
      software: false,
      gpuFreeBytes: 8 * GIB,
      ramFreeBytes: 11 * GIB,
      ramTotalBytes: 16 * GIB,
      diskBytesPerSecond: 3.5 * GB,
      uploadBytesPerSecond: 3 * GB,
      readbackMs: 2,
      computeBytesPerSecond: KERNEL_SHARE * 89.6 * GB,
      dispatchMs: 0.01,
    },
    sources: [
      'two channels of DDR5-5600: 89.6 GB/s (JEDEC); Windows lends half of the RAM to an integrated GPU',
      'upload 3 GB/s: one memory copy (assumed a little below the others)',
      READBACK,
      DISK,
    ],
  },
};
