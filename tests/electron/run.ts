/**
 * `npm run test:electron [-- --pinned] [--model FILE --question T --expect T]`: builds the app, starts it in a real Electron with an empty data
 * folder and a model (a tiny one by default), asks a question in its window, reads the answer from the page and from SQLite, starts it again.
 * Without --pinned on the stand-in (Linux x64), with it on the Electron that package.json names. Ends with `N passed, N failed, N skipped`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { onADisplay } from './display.ts';
import { tinyModel } from '../fixtures/tiny-model.ts';
import { describeRun } from './steps.ts';
import { buildForPinned, buildForStandIn } from './build.ts';
import { fetchStandIn, installStandIn, type ElectronProgram } from './stand-in.ts';
import { pinnedElectron } from './pinned.ts';
import { checkApp } from './app-steps.ts';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const { values } = parseArgs({
  options: {
    pinned: { type: 'boolean', default: false },
    model: { type: 'string' },
    question: { type: 'string', default: 'Who sits in a conclave? – Wer wählt? 谁' },
    expect: { type: 'string', default: '' },
  },
});
const { pinned } = values;
const screenshots = path.join(root, 'out', 'test');

// One display for the whole test: the app ends and starts again on it.
onADisplay();

const run = describeRun();
const reason = whyNotHere();
if (reason) run.skip(reason);
else {
  // Beside the cache, so that the stand-in's files can be linked instead of copied; spaces and letters beyond ASCII on purpose.
  const cache = path.join(os.homedir(), '.cache', 'conclave');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'électron test '));
  try {
    let program: ElectronProgram | undefined;
    await run.step(pinned ? 'the app is built' : 'the stand-in is there and the app is built for it', () => {
      if (!pinned) fetchStandIn();
      (pinned ? buildForPinned : buildForStandIn)(root);
      program = pinned
        ? pinnedElectron(root)
        : installStandIn(path.join(folder, 'app'), path.join(root, 'out', 'stand-in', 'out'), '0.1.0');
      console.log(program.name);
    });
    const modelFile = values.model ? path.resolve(values.model) : path.join(folder, 'tiny mixtral.gguf');
    // The greedy answer of this seed holds no NUL, at which the stand-in's libsql ends a text that it reads.
    if (!values.model) writeFileSync(modelFile, tinyModel({ architecture: 'mixtral', type: 'Q4_0', seed: 12 }));
    mkdirSync(screenshots, { recursive: true });
    await checkApp(run, {
      program: () => program as ElectronProgram,
      dataFolder: path.join(folder, 'data ü'),
      modelFile,
      question: values.question,
      expect: values.expect,
      screenshots,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
process.exit(run.finish());

function whyNotHere(): string | null {
  if (process.platform === 'linux' && !process.env.DISPLAY) return 'there is no display and no xvfb-run';
  if (pinned || (process.platform === 'linux' && process.arch === 'x64')) return null;
  return 'the stand-in for Electron exists for Linux x64 only';
}
