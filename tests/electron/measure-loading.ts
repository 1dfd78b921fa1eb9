/**
 * How fast experts and whole models come from a file to the GPU in the engine host's process of a real Electron (the stand-in, SwiftShader),
 * beside a plain copy there: node tests/electron/measure-loading.ts MODEL.gguf… [--rounds N] [--staging BYTES] [--only file,pool,packed,resident].
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { wgslText } from '../support/wgsl-text.ts';
import { onADisplay } from './display.ts';
import { fetchStandIn, installStandIn, STAND_IN_SWITCHES } from './stand-in.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '6' },
    staging: { type: 'string', default: String(32 * 2 ** 20) },
    only: { type: 'string', default: 'file,pool,packed,resident' },
  },
});
if (positionals.length === 0) throw new Error('give model files');
onADisplay();
fetchStandIn();
const here = path.dirname(fileURLToPath(import.meta.url));
const cache = path.join(os.homedir(), '.cache', 'conclave'); // so that the stand-in's files can be linked
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(path.join(cache, 'electron loading '));
try {
  const built = path.join(folder, 'built');
  await bundle(path.join(here, 'loading-main.ts'), path.join(built, 'main'), 'main.cjs');
  await bundle(path.join(here, 'loading-preload.ts'), path.join(built, 'main'), 'loading-preload.cjs');
  const { executable } = installStandIn(path.join(folder, 'app'), built, '0.0.0');
  const options = JSON.stringify({
    rounds: Number(values.rounds),
    stagingBytes: Number(values.staging),
    only: values.only.split(','),
  });
  const files = positionals.map((file) => path.resolve(file));
  const data = `--user-data-dir=${path.join(folder, 'data')}`;
  const { status } = spawnSync(executable, [...STAND_IN_SWITCHES, data, '--', options, ...files], {
    stdio: ['ignore', 'inherit', process.env.VERBOSE ? 'inherit' : 'ignore'],
    timeout: 300_000,
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

async function bundle(input: string, outDir: string, name: string): Promise<void> {
  await build({
    configFile: false,
    logLevel: 'error',
    plugins: [wgslText()],
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      minify: false,
      target: 'node18.15',
      rollupOptions: { input, external: ['electron'], output: { format: 'cjs', entryFileNames: name, codeSplitting: false } },
    },
  });
}
