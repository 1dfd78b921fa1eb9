/** The WGSL of each activation between an expert's gate and up rows and its down rows: `gated(pairs)`, and `sigmoid` for routers. */
import type { MoeSpec } from '../architectures/types.ts';
import clampedSwiglu from './clamped-swiglu.wgsl';
import silu from './silu.wgsl';

export const ACTIVATION_SNIPPETS: Readonly<Record<MoeSpec['activation'], string>> = { silu, 'clamped-swiglu': clampedSwiglu };
