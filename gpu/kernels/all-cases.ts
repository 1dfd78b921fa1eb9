/** Every kernel's case table. A kernel that is not listed here is not tested: all.test.ts checks that none is missing. */
import type { KernelCase } from './cases.ts';
import { decodeCases } from './decode-cases.ts';
import { expertRepackCases } from './expert-repack/expert-repack.cases.ts';
import { prefillCases } from './prefill-cases.ts';

export const allCases: readonly KernelCase[] = [...decodeCases, ...prefillCases, ...expertRepackCases];
