/** The browser host's process: `browser.ts [--data DIR] [--adapter A] [--no-open] [--fallback-reason TEXT] [MODEL.gguf …]`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { isConclaveError } from '../../../gpu/errors.ts';
import { modelFiles } from '../../library/gguf-model-files.ts';
import { chooseDataFolder } from '../launcher/data-folder.mjs';
import { nodeEngineClient } from '../node/engine-client.ts';
import { ADAPTER_CHOICES, type AdapterChoice } from '../node/gpu.ts';
import { runBrowserHost } from './host.ts';

/** Longer than a commit and a submission take; a hung driver must not keep the host from ending. */
const CLOSE_LIMIT_MS = 5_000;

const root = path.resolve(import.meta.dirname, '..', '..', '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: 'string' },
    adapter: { type: 'string' },
    'no-open': { type: 'boolean' },
    'fallback-reason': { type: 'string' },
  },
});

try {
  const host = await runBrowserHost({
    engine: nodeEngineClient(adapterOf(values.adapter ?? process.env.CONCLAVE_ADAPTER)),
    files: modelFiles,
    dataFolder: chooseDataFolder(values.data),
    pageFolder: path.join(root, 'out', 'renderer'),
    builtInModelsFolder: path.join(root, 'resources', 'models'),
    version: (JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }).version,
    fallbackReason: values['fallback-reason'] ?? null,
    open: values['no-open'] !== true,
    models: positionals.map((model) => path.resolve(model)),
    say: (line) => console.log(line),
    input: process.stdin,
  });
  // Ctrl-C reaches this process twice, from the terminal and through the launcher: `close` waits for one end.
  const end = () => {
    setTimeout(() => process.exit(1), CLOSE_LIMIT_MS).unref();
    void host.close().then(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
} catch (error) {
  console.error(isConclaveError(error) ? error.message : error);
  process.exit(1);
}

function adapterOf(given: string | undefined): AdapterChoice {
  return ADAPTER_CHOICES.find((choice) => choice === given) ?? 'auto';
}
