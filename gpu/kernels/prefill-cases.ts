/** The case tables of the prefill kernels, in the order in which a layer runs them. */
import type { KernelCase } from './cases.ts';
import { attentionPrefillCases } from './attention-prefill/attention-prefill.cases.ts';
import { embedRowsCases } from './embed-rows/embed-rows.cases.ts';
import { expertsCombineCases } from './experts-combine/experts-combine.cases.ts';
import { expertsMatmulDownCases } from './experts-matmul-down/experts-matmul-down.cases.ts';
import { expertsMatmulUpCases } from './experts-matmul-up/experts-matmul-up.cases.ts';
import { expertsSortCases } from './experts-sort/experts-sort.cases.ts';
import { matmulCases } from './matmul/matmul.cases.ts';
import { rmsNormCases } from './rms-norm/rms-norm.cases.ts';
import { ropeAppendCases } from './rope-append/rope-append.cases.ts';
import { routerTopkCases } from './router-topk/router-topk.cases.ts';
import { swigluCases } from './swiglu/swiglu.cases.ts';

export const prefillCases: readonly KernelCase[] = [
  ...embedRowsCases,
  ...rmsNormCases,
  ...matmulCases,
  ...ropeAppendCases,
  ...attentionPrefillCases,
  ...routerTopkCases,
  ...expertsSortCases,
  ...expertsMatmulUpCases,
  ...expertsMatmulDownCases,
  ...expertsCombineCases,
  ...swigluCases,
];
