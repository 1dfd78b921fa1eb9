/** The variant whose WGSL stands in the kernels' snapshots: subgroups of 32, as most hardware has them. */
import { laneVariant, type LaneVariant } from './lanes.ts';

export const SNAPSHOT_VARIANT: LaneVariant = laneVariant({
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  shaderF16: false,
  maxStorageBindingBytes: 128 * 2 ** 20,
  maxBufferBytes: 256 * 2 ** 20,
  maxInvocationsPerWorkgroup: 256,
  maxWorkgroupStorageBytes: 16384,
  languageFeatures: new Set(),
  software: false,
  description: 'snapshot',
});
