/**
 * The two ways in which a row's sum is split, chosen once per device. `subgroup`: rows per subgroup, whose lanes take every n-th unit of 32
 * weights. `plain`: rows per invocation; needs no WGSL feature. Neither has a barrier. The kernels' bodies are the same for both.
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

/** An invocation per row: 64 of them are a workgroup on every adapter. */
const PLAIN: LaneVariant = { kind: 'plain', workgroupSize: 64, workersPerGroup: 64, minLanes: 1 };
/** Hardware hides latency with many subgroups a workgroup. */
const SUBGROUP_WORKGROUP = 256;

/**
 * Pure: a variant depends on the device alone, never on a model or a budget. Software adapters run `plain` faster even where they have
 * subgroups, because all invocations then read the same x: 25 ms a token instead of 43 on lavapipe, 183 instead of 274 on SwiftShader
 * (profile-decode on the speed model, November 2026, a busy machine).
 */
export function laneVariant(capabilities: DeviceCapabilities): LaneVariant {
  const { subgroupMinSize, subgroupMaxSize, software, maxInvocationsPerWorkgroup } = capabilities;
  if (subgroupMinSize === 0 || software) return PLAIN;
  const size = Math.max(Math.min(SUBGROUP_WORKGROUP, maxInvocationsPerWorkgroup), subgroupMaxSize);
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
