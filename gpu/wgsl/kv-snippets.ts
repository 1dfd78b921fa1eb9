/**
 * The WGSL of each KV type. `append`, for kernels that bind the cache as words and write a row of it: `KvUnit`, a few elements as f32 (KV_UNIT of
 * them), and `kv_load`, `kv_rotated`, `kv_append` over units. `rows`, for kernels that only read and bind it as vec4: `kv_load8`.
 */
import type { KvType } from '../quant/kv-types.ts';
import i8x4 from './i8x4.wgsl';
import appendF16 from './kv-f16.wgsl';
import appendF32 from './kv-f32.wgsl';
import appendQ8 from './kv-q8_0.wgsl';
import rowsF16 from './kv-rows-f16.wgsl';
import rowsF32 from './kv-rows-f32.wgsl';
import rowsQ8 from './kv-rows-q8_0.wgsl';

export const KV_SNIPPETS: Readonly<Record<KvType, { readonly append: string; readonly rows: string }>> = {
  f16: { append: appendF16, rows: rowsF16 },
  q8_0: { append: i8x4 + appendQ8, rows: i8x4 + rowsQ8 },
  f32: { append: appendF32, rows: rowsF32 },
};
