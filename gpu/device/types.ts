/** A compute program and one dispatch of it, as plain data: what a kernel's .ts returns and a plan holds. */

export type BindingKind = 'uniform' | 'read' | 'read-write';

export interface KernelProgram {
  /** Kernel name, also the pipeline label, trace row and bench row. */
  readonly name: string;
  /** Unique per distinct (code, constants): the pipeline cache's key. */
  readonly key: string;
  /** Complete WGSL: prelude, snippets, body. Byte-stable across runs (drivers cache by text). Entry point `main`. */
  readonly code: string;
  readonly constants: Readonly<Record<string, number>>;
  /** Group 0, binding i has kind `bindings[i]`. At most 8 storage bindings. */
  readonly bindings: readonly BindingKind[];
}

/** A range of a buffer; offsets are multiples of 256, sizes of 4. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export interface Dispatch {
  readonly program: KernelProgram;
  readonly ranges: readonly BufferRange[];
  readonly grid: readonly [x: number, y: number, z: number];
}

/** What a kernel variant may depend on. Chosen once per device, frozen in the tuning record. */
export interface DeviceCapabilities {
  /** 0 when the device has no subgroups or they are switched off. */
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
  readonly shaderF16: boolean;
  readonly maxStorageBindingBytes: number;
  readonly maxBufferBytes: number;
  readonly maxInvocationsPerWorkgroup: number;
  readonly maxWorkgroupStorageBytes: number;
  /** WGSL language features, such as `packed_4x8_integer_dot_product`, `subgroup_id`. */
  readonly languageFeatures: ReadonlySet<string>;
  /** True for SwiftShader, WARP, lavapipe. */
  readonly software: boolean;
  readonly description: string;
}
