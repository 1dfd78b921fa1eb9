/** `npm run typecheck`: tsc for the tsconfig of every process, and svelte-check for the pages (it checks their .ts files too). Two at a time. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
const svelteCheck = path.join(root, 'node_modules', 'svelte-check', 'bin', 'svelte-check');

const checks: readonly { name: string; args: readonly string[] }[] = [
  ...['gpu', 'main', 'renderer/engine', 'tests'].map((folder) => ({
    name: folder,
    args: [tsc, '-p', path.join(root, folder), '--pretty', 'false'],
  })),
  {
    name: 'renderer',
    args: [
      svelteCheck,
      '--workspace',
      path.join(root, 'renderer'),
      '--tsconfig',
      path.join(root, 'renderer', 'tsconfig.json'),
      '--output',
      'human',
      '--fail-on-warnings',
    ],
  },
];

const waiting = [...checks];
let failed = 0;
await Promise.all([worker(), worker()]);
console.log(failed === 0 ? `types: ${checks.length} projects checked` : `types: ${failed} of ${checks.length} projects failed`);
process.exit(failed === 0 ? 0 : 1);

async function worker(): Promise<void> {
  for (let check = waiting.shift(); check; check = waiting.shift()) {
    const { code, output } = await run(check.args);
    if (code === 0) continue;
    failed++;
    console.log(`── ${check.name}\n${output}`);
  }
}

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    child.stderr.on('data', (text) => (output += text));
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code, output }));
  });
}
