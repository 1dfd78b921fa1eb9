/**
 * `node tests/fixtures-services/fake-host.ts --data DIR --page out/renderer [--scenario plain] [--answer TEXT] [MODEL …]`: the whole browser
 * host with a scripted engine, for end-to-end tests. Prints the link as the host does; SIGTERM ends it.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../../main/clock.ts';
import { runBrowserHost } from '../../main/hosts/browser/host.ts';
import { FakeEngine, type FakeScenario } from './fake-engine.ts';
import { FakeModelFiles } from './fake-models.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    page: { type: 'string' },
    scenario: { type: 'string', default: 'plain' },
    answer: { type: 'string' },
  },
});
if (!values.data || !values.page) throw new Error('Give --data and --page.');

const engine = new FakeEngine(systemClock, values.scenario as FakeScenario);
engine.contextTokens = 4096;
if (values.answer !== undefined) engine.answer = values.answer;
const host = await runBrowserHost({
  engine,
  files: new FakeModelFiles(),
  dataFolder: path.resolve(values.data),
  pageFolder: path.resolve(values.page),
  builtInModelsFolder: null,
  version: '0.0.0',
  fallbackReason: null,
  open: false,
  models: positionals.map((model) => path.resolve(model)),
  say: (line) => process.stdout.write(`${line}\n`),
  input: process.stdin,
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void host.close().then(() => process.exit(0)));
