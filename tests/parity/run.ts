/**
 * `node main/hosts/launcher/with-node.mjs tests/parity/run.ts [--install] [--write] [--only TEXT] [--model FILE]…`: compares the GPU engine and llama.cpp with the f64 reference.
 * --install fetches llama.cpp (npm package node-llama-cpp, 725 MB) into CONCLAVE_PARITY_DIR or ~/.cache/conclave/llama; --write renews docs/parity.md;
 * --only takes files whose name or type holds TEXT; --model adds a real model. Ends with `N passed, N failed, N skipped`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { openParityDevice } from './gpu-engine.ts';
import { createLlamaOracle, prepareLlama } from './llama.ts';
import { modelParity } from './model-parity.ts';
import { Report } from './report.ts';
import { TINY_CASES, tinyParity } from './tiny-parity.ts';
import { writeParityPage } from './write-page.ts';

const { values } = parseArgs({
  options: {
    install: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    model: { type: 'string', multiple: true, default: [] },
  },
});

const report = new Report();
const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave-parity-'));
const missing = prepareLlama(values.install);
const llama = missing ? undefined : createLlamaOracle();
const device = await openParityDevice();
const gpu = typeof device === 'string' ? undefined : device;
try {
  const cases = TINY_CASES.filter(({ name, options }) => `${name} ${options.type}`.includes(values.only));
  const nFiles = cases.length + values.model.length;
  if (missing) report.skip(missing, nFiles);
  if (typeof device === 'string') report.skip(device, nFiles);
  if (values.model.length === 0) report.skip('no real model: give one with --model');
  if (gpu) report.adapter = gpu.capabilities.description;
  for (const tiny of cases) report.add(await tinyParity(tiny, folder, { llama, gpu }));
  for (const file of values.model) report.add(await modelParity(path.resolve(file), folder, { llama, gpu }));
  if (values.write) writeParityPage(report);
} finally {
  llama?.close();
  rmSync(folder, { recursive: true, force: true });
}
report.print();
process.exit(report.failed > 0 ? 1 : 0);
