/** The case tables of the decode kernels. */
import type { KernelCase } from './cases.ts';
import { attentionDecodeCases } from './attention-decode/attention-decode.cases.ts';
import { attentionReduceCases } from './attention-reduce/attention-reduce.cases.ts';
import { denseDownCases } from './dense-down/dense-down.cases.ts';
import { denseUpCases } from './dense-up/dense-up.cases.ts';
import { embedCases } from './embed/embed.cases.ts';
import { expertsDownCases } from './experts-down/experts-down.cases.ts';
import { expertsUpCases } from './experts-up/experts-up.cases.ts';
import { headMatvecCases } from './head-matvec/head-matvec.cases.ts';
import { outputMatvecCases } from './output-matvec/output-matvec.cases.ts';
import { qkvMatvecCases } from './qkv-matvec/qkv-matvec.cases.ts';
import { routerMatvecCases } from './router-matvec/router-matvec.cases.ts';
import { sampleGreedyCases } from './sample-greedy/sample-greedy.cases.ts';
import { sampleCases } from './sample/sample.cases.ts';

export const decodeCases: readonly KernelCase[] = [
  ...embedCases,
  ...qkvMatvecCases,
  ...attentionDecodeCases,
  ...attentionReduceCases,
  ...outputMatvecCases,
  ...routerMatvecCases,
  ...expertsUpCases,
  ...expertsDownCases,
  ...denseUpCases,
  ...denseDownCases,
  ...headMatvecCases,
  ...sampleGreedyCases,
  ...sampleCases,
];
