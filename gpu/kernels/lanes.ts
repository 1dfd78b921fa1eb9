/**
 * The two ways in which a row's sum is split, chosen once per device. `subgroup`: a row per subgroup, its lanes take every n-th unit of 32
 * weights. `plain`: a row per invocation; needs no WGSL feature and no barrier. The kernels' bodies are the same for both.
 */
import { composeProgram, type ProgramParts } from '../device/compose.ts';
import type { DeviceCapabilities, KernelProgram } from '../device/types.ts';
import { invariant } from '../invariant.ts';
import lanesPlain from '../wgsl/lanes-plain.wgsl';
import lanesSubgroup from '../wgsl/lanes-subgroup.wgsl';

/** A program and the grid of its one dispatch. */
export interface KernelInstance {
  readonly program: KernelProgram;
  readonly grid: readonly [x: number, y: number, z: number];
}

/** An early exit is paid per workgroup: decode grids stay at or below this many and give each worker many rows. */
export const MAX_WORKGROUPS = 256;

export interface LaneVariant {
  readonly kind: 'subgroup' | 'plain';
  readonly workgroupSize: number;
  /** At least this many workers are in a workgroup (subgroup sizes may vary between kernels of one device). */
  readonly workersPerGroup: number;
  /** The least number of lanes of a worker: private arrays are sized for it. */
  readonly minLanes: number;
}

/** Pure: a variant depends on the device alone, never on a model or a budget. */
export function laneVariant(capabilities: DeviceCapabilities): LaneVariant {
  const { subgroupMinSize, subgroupMaxSize, software, maxInvocationsPerWorkgroup } = capabilities;
  // Hardware hides latency with many subgroups a workgroup; a software adapter has a thread per workgroup.
  const preferred = software ? 64 : 256;
  const workgroupSize = Math.min(preferred, maxInvocationsPerWorkgroup);
  if (subgroupMinSize === 0) return { kind: 'plain', workgroupSize: 64, workersPerGroup: 64, minLanes: 1 };
  const size = Math.max(workgroupSize, subgroupMaxSize);
  return { kind: 'subgroup', workgroupSize: size, workersPerGroup: size / subgroupMaxSize, minLanes: subgroupMinSize };
}

/** Workgroups for `nItems` pieces of work, at most `limit`. */
export function laneGrid(variant: LaneVariant, nItems: number, limit = MAX_WORKGROUPS): number {
  return Math.max(1, Math.min(limit, Math.ceil(nItems / variant.workersPerGroup)));
}

/** A program whose body offers `fn run(lanes: Lanes, group_y: u32)`. */
export function composeLanes(variant: LaneVariant, parts: ProgramParts): KernelProgram {
  invariant(!parts.enable?.length, `${parts.name}: lane kernels enable nothing themselves`);
  const subgroup = variant.kind === 'subgroup';
  return composeProgram({
    ...parts,
    enable: subgroup ? ['subgroups'] : [],
    consts: { WORKGROUP_SIZE: variant.workgroupSize, ...parts.consts },
    lanes: subgroup ? lanesSubgroup : lanesPlain,
  });
}

/** Units of 32 weights in a row of `cols`. */
export function rowUnits(cols: number): number {
  invariant(cols > 0 && cols % 32 === 0, `a row of ${cols} weights is not whole units of 32`);
  return cols / 32;
}
