/** Runs in the browser: the kernel cases of gpu/kernels on this page's `navigator.gpu`. */
import { openDevice } from '../../gpu/device/open-device.ts';
import { allCases } from '../../gpu/kernels/all-cases.ts';
import { openConfigurations, runDistinct, type CaseReport } from '../../gpu/kernels/harness.ts';

export interface PageReport {
  /** By configuration: why it was not run. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly reports: readonly (CaseReport & { readonly configuration: string })[];
}

declare global {
  interface Window {
    runKernels(which: 'all' | 'new text'): Promise<PageReport>;
  }
}

/** `new text`: in each configuration, the cases whose program has a line of WGSL, numbers aside, that none before it had. */
window.runKernels = async (which) => {
  if (!navigator.gpu) throw new Error('this page has no navigator.gpu');
  const configurations = await openConfigurations((options) => openDevice(navigator.gpu, options));
  const seen = new Set<string>();
  const hasNewText = (configuration: string, { code }: { readonly code: string }) => {
    const lines = code.split('\n').map((line) => `${configuration}: ${line.replace(/\d+/g, '0')}`);
    const isNew = lines.some((line) => !seen.has(line));
    for (const line of lines) seen.add(line);
    return isNew;
  };
  const reports = [];
  for (const kernelCase of allCases)
    reports.push(...(await runDistinct(configurations, kernelCase, which === 'all' ? undefined : hasNewText)));
  const skipped: Record<string, string> = {};
  for (const configuration of configurations)
    if ('skipped' in configuration) skipped[configuration.name] = configuration.skipped;
    else configuration.gpu.dispose();
  return { skipped, reports };
};
