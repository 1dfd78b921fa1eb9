/**
 * Runs kernel cases without a test framework: node main/hosts/launcher/with-node.mjs tests/gpu/run-cases.ts [NAME…]
 * prints what fails and what each kernel took. NAME keeps the cases whose name contains it; CONCLAVE_ADAPTER chooses the adapter.
 */
import { allCases } from '../../gpu/kernels/all-cases.ts';
import { configurationApplies, runCase, SUITE_CONFIGURATIONS } from '../../gpu/kernels/harness.ts';
import { openTestDevice } from './node-gpu.ts';

const filters = process.argv.slice(2);
const cases = allCases.filter(({ name }) => filters.length === 0 || filters.some((filter) => name.includes(filter)));
let failed = 0;
for (const configuration of SUITE_CONFIGURATIONS) {
  const gpu = await openTestDevice(configuration.options);
  if (!gpu || !configurationApplies(gpu.adapter, configuration)) continue;
  console.log(`${configuration.name} on ${gpu.capabilities.description}: ${cases.length} cases`);
  const elapsedMs = new Map<string, number>();
  for (const kernelCase of cases) {
    const start = performance.now();
    const { name, failures } = await runCase(gpu, kernelCase);
    const kernel = name.split(':')[0];
    elapsedMs.set(kernel, (elapsedMs.get(kernel) ?? 0) + performance.now() - start);
    if (failures.length > 0) console.log(`FAILED ${name}\n  ${failures.join('\n  ')}`);
    failed += failures.length > 0 ? 1 : 0;
  }
  for (const [kernel, ms] of elapsedMs) console.log(`  ${kernel} ${ms.toFixed(0)} ms`);
  gpu.dispose();
}
console.log(failed === 0 ? 'all passed' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
