/** The WGSL snippet of each tensor type: `<type>_load32` and `<type>_dot32` over the plane layout (gpu/README.md). */
import type { ComputeType } from '../quant/types.ts';
import bf16 from './bf16.wgsl';
import f16 from './f16.wgsl';
import f32 from './f32.wgsl';
import i8x4 from './i8x4.wgsl';
import iq4_nl from './iq4_nl.wgsl';
import mxfp4 from './mxfp4.wgsl';
import q2_k from './q2_k.wgsl';
import q3_k from './q3_k.wgsl';
import q4_0 from './q4_0.wgsl';
import q4_1 from './q4_1.wgsl';
import q4_k from './q4_k.wgsl';
import q5_0 from './q5_0.wgsl';
import q5_1 from './q5_1.wgsl';
import q5_k from './q5_k.wgsl';
import q6_k from './q6_k.wgsl';
import q8_0 from './q8_0.wgsl';

export const QUANT_SNIPPETS: Readonly<Record<ComputeType, string>> = {
  F32: f32,
  F16: f16,
  BF16: bf16,
  Q8_0: i8x4 + q8_0,
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  IQ4_NL: iq4_nl,
  MXFP4: mxfp4,
  Q2_K: q2_k,
  Q3_K: q3_k,
  Q4_K: q4_k,
  Q5_K: q5_k,
  Q6_K: q6_k,
};
