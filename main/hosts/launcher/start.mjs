/**
 * `npm start [-- --browser] [--data DIR] [MODEL.gguf …]`: gets and builds what is missing, starts the app in Electron, and where that
 * cannot be had opens the same app in a browser, with the reason in one sentence. Runs on any Node ≥ 18.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseStartArguments } from './arguments.mjs';
import { ensureBuilt } from './builds.mjs';
import { displayProblem, runElectron } from './electron-app.mjs';
import { getElectron } from './electron-binary.mjs';
import { chooseNode } from './node-binary.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.resolve(here, '..', '..', '..');

process.exitCode = await start();

async function start() {
  const node = chooseNode();
  if (node.problem) return fail(node.problem);
  const given = parseStartArguments(process.argv.slice(2));
  if (given.problem) return fail(given.problem);
  if (given.help) {
    console.log(given.help);
    return 0;
  }
  if (given.browser) return browser(node.path, given, null);
  const outcome = await electron(node.path, given);
  if (outcome.problem === undefined) return outcome.exitCode;
  console.log(`Conclave opens in your browser, because ${outcome.problem}.`);
  return browser(node.path, given, `This is Conclave in a browser, because ${outcome.problem}.`);
}

async function electron(node, given) {
  const noDisplay = displayProblem();
  if (noDisplay) return { problem: noDisplay };
  const got = await getElectron(root, node);
  if (got.problem) return got;
  const notBuilt = await ensureBuilt(root, 'electron', node);
  if (notBuilt) return { problem: notBuilt };
  return runElectron(got.binary, [root, '--data', given.dataFolder, ...given.models]);
}

async function browser(node, given, reason) {
  const notBuilt = await ensureBuilt(root, 'page', node);
  if (notBuilt) return fail(`Conclave cannot start: ${notBuilt}.`);
  const args = [
    path.join(here, 'with-node.mjs'),
    path.join(root, 'main', 'hosts', 'browser', 'browser.ts'),
    '--data',
    given.dataFolder,
    ...(given.adapter ? ['--adapter', given.adapter] : []),
    ...(given.open ? [] : ['--no-open']),
    ...(reason ? ['--fallback-reason', reason] : []),
    ...given.models,
  ];
  const child = spawn(process.execPath, args, { stdio: 'inherit', cwd: root });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(fail(`Conclave could not be started: ${error.message}`)));
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

function fail(sentence) {
  console.error(sentence);
  return 1;
}
