/** WebGPU's flag values as the specification fixes them: Node has no global `GPUBufferUsage`, and the engine must not ask for one. */
export const BufferUsage = {
  MAP_READ: 0x0001,
  MAP_WRITE: 0x0002,
  COPY_SRC: 0x0004,
  COPY_DST: 0x0008,
  UNIFORM: 0x0040,
  STORAGE: 0x0080,
} as const;

export const MapMode = { READ: 1, WRITE: 2 } as const;

export const SHADER_STAGE_COMPUTE = 0x4;

/** WebGPU's least common `minStorageBufferOffsetAlignment`; we never ask for a finer one. */
export const RANGE_ALIGNMENT_BYTES = 256;

export function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
