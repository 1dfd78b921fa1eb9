/**
 * `npm run -s cli -- COMMAND …`: the process around main.ts. It ends by process.exit once stdout is flushed, because a live
 * GPU instance keeps Node's event loop running for ever.
 */
import { runCli } from './main.ts';

const controller = new AbortController();
process.once('SIGINT', () => controller.abort());

const exitCode = await runCli(
  process.argv.slice(2),
  { stdout: (text) => process.stdout.write(text), stderr: (text) => process.stderr.write(text) },
  controller.signal,
);
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
process.exit(exitCode);
