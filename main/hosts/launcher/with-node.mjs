/** `node with-node.mjs SCRIPT [ARGS…]`: runs SCRIPT under a recent enough Node, with the module hooks and the environment it needs. */
import { spawn } from 'node:child_process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import path from 'node:path';
import { chooseNode } from './node-binary.mjs';
import { vulkanEnvironment } from './vulkan.mjs';

const node = chooseNode();
if (node.problem) {
  console.error(node.problem);
  process.exit(1);
}

const hooks = pathToFileURL(path.join(path.dirname(fileURLToPath(import.meta.url)), 'wgsl-hook.mjs')).href;
const [script, ...args] = process.argv.slice(2);
const adapterFlag = args.indexOf('--adapter');
/** MiB. By itself V8's young generation grows to 64 MiB over a long answer, of which a token needs a fraction (docs/offload-measured.md). */
const youngGeneration = '--max-semi-space-size=4';
const child = spawn(node.path, ['--import', hooks, '--disable-warning=ExperimentalWarning', youngGeneration, script, ...args], {
  stdio: 'inherit',
  env: { ...process.env, ...vulkanEnvironment(adapterFlag >= 0 ? args[adapterFlag + 1] : process.env.CONCLAVE_ADAPTER) },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`Could not start ${node.path}: ${error.message}`);
  process.exit(1);
});
child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)));
