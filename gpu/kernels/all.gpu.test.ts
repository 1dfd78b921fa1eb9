/** Runs every kernel's cases on this machine's adapter: as it is, without subgroups, without shader-f16. */
import { afterAll, describe, expect, test } from 'vitest';
import { openTestDevice } from '../../tests/gpu/node-gpu.ts';
import type { GpuDevice } from '../device/open-device.ts';
import { allCases } from './all-cases.ts';
import { configurationApplies, runCase, SUITE_CONFIGURATIONS } from './harness.ts';

const devices: GpuDevice[] = [];
afterAll(() => devices.forEach((gpu) => gpu.dispose()));

for (const configuration of SUITE_CONFIGURATIONS) {
  const gpu = await openTestDevice(configuration.options);
  if (gpu) devices.push(gpu);
  const applies = gpu !== null && configurationApplies(gpu.adapter, configuration);
  const adapter = gpu?.capabilities.description ?? 'no adapter';
  const title = `${configuration.name} on ${adapter}`;
  if (!gpu || !applies) {
    test.skipIf(true)(`${title}: there is nothing to switch off`, () => undefined); // one reason, one skip
    continue;
  }
  describe(title, () => {
    for (const kernelCase of allCases) {
      test(kernelCase.name, async () => {
        const report = await runCase(gpu, kernelCase);
        expect(report.failures).toEqual([]);
      });
    }
  });
}
