/** Runs every kernel's cases on this machine's adapter: as it is and, where that differs, as on hardware, without subgroups, without f16. */
import { afterAll, describe, expect, test } from 'vitest';
import { openTestDevice } from '../../tests/gpu/node-gpu.ts';
import { allCases } from './all-cases.ts';
import { openConfigurations, runDistinct } from './harness.ts';

const configurations = await openConfigurations(openTestDevice);
const nRuns = new Map<string, number>();
const adapter = configurations.find((configuration) => 'gpu' in configuration)?.gpu.capabilities.description;

afterAll(() => {
  console.log([...nRuns].map(([configuration, n]) => `${configuration}: ${n} of ${allCases.length} cases`).join(', '));
  for (const configuration of configurations) if ('gpu' in configuration) configuration.gpu.dispose();
});

for (const configuration of configurations)
  if ('skipped' in configuration) test.skip(`${configuration.name}: ${configuration.skipped}`); // one reason, one skip

describe.runIf(adapter)(`on ${adapter}`, () => {
  for (const kernelCase of allCases)
    test(kernelCase.name, async () => {
      const reports = await runDistinct(configurations, kernelCase);
      for (const { configuration } of reports) nRuns.set(configuration, (nRuns.get(configuration) ?? 0) + 1);
      expect(reports[0]?.configuration).toBe('default');
      expect(reports.filter(({ failures }) => failures.length > 0)).toEqual([]);
    });
});
