/** Runs in the browser: the kernel suite of gpu/kernels on this page's `navigator.gpu`. */
import { allCases } from '../../gpu/kernels/all-cases.ts';
import { runSuite, type SuiteReport } from '../../gpu/kernels/harness.ts';

declare global {
  interface Window {
    runKernels(): Promise<SuiteReport[]>;
  }
}

window.runKernels = () => {
  if (!navigator.gpu) throw new Error('this page has no navigator.gpu');
  return runSuite(navigator.gpu, allCases);
};
