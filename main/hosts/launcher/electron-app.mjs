/**
 * Starts Electron and waits until its window is there (the app then writes CONCLAVE_READY_FILE). When it ends or hangs before that, the
 * reason is put into half a sentence. The sandbox is never switched off here: where it cannot work, that is said.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { end } from './processes.mjs';

const READY_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 200;

/** Half a sentence when no window can be shown here, else null. */
export function displayProblem(platform = process.platform, environment = process.env) {
  if (platform !== 'linux' || environment.DISPLAY || environment.WAYLAND_DISPLAY) return null;
  return 'there is no display here (DISPLAY and WAYLAND_DISPLAY are not set)';
}

/**
 * `{exitCode}` after the app was there and ended (or handed over to one that runs already), or `{problem}` when it did not come up.
 */
export async function runElectron(binary, args, { readyLimitMs = READY_LIMIT_MS, environment = process.env } = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave-start-'));
  const readyFile = path.join(folder, 'ready');
  const env = { ...environment, CONCLAVE_READY_FILE: readyFile };
  delete env.ELECTRON_RUN_AS_NODE;
  const child = spawn(binary, args, { stdio: ['inherit', 'inherit', 'pipe'], env });
  const forward = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  try {
    return await watch(child, readyFile, readyLimitMs);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.off(signal, forward);
    rmSync(folder, { recursive: true, force: true });
  }
}

function watch(child, readyFile, readyLimitMs) {
  let errors = '';
  let isReady = false;
  child.stderr.on('data', (chunk) => {
    if (isReady) process.stderr.write(chunk);
    else errors += chunk;
  });
  return new Promise((resolve) => {
    const startedAtMs = Date.now();
    let isOver = false;
    const finish = async (outcome) => {
      if (isOver) return;
      isOver = true;
      clearInterval(timer);
      await end(child);
      resolve(outcome);
    };
    const timer = setInterval(() => {
      if (existsSync(readyFile)) {
        isReady = true;
        clearInterval(timer);
        process.stderr.write(errors);
      } else if (Date.now() - startedAtMs > readyLimitMs)
        void finish({ problem: `Electron showed no window within ${Math.round(readyLimitMs / 1000)} s` });
    }, LOOK_EVERY_MS);
    child.on('error', (error) => void finish({ problem: `Electron could not be started (${error.message})` }));
    child.on('close', (code, signal) => {
      // 0 without a window: another one with this data folder runs and came to the front.
      if (isReady || existsSync(readyFile) || code === 0) void finish({ exitCode: code ?? 1 });
      else void finish({ problem: problemIn(errors, signal ?? `exit code ${code}`) });
    });
  });
}

/** What Electron's and Chromium's messages mean for a person. */
export function problemIn(errors, ending) {
  const library = /error while loading shared libraries: ([^\s:]+)/.exec(errors)?.[1];
  if (library) return `Electron needs the system library ${library}, which is not installed`;
  if (/Missing X server|cannot open display|Unable to open X display|Failed to connect to Wayland/i.test(errors))
    return 'Electron found no display it can use';
  if (/Running as root without --no-sandbox/i.test(errors)) return 'Electron does not run as root';
  if (/sandbox/i.test(errors) && /SUID|setuid|namespace|No usable sandbox/i.test(errors))
    return "Electron's sandbox cannot be used on this system";
  const line = errors
    .split('\n')
    .map((text) => text.trim())
    .find((text) => text !== '');
  return `Electron ended at once (${ending}${line ? `: ${line.slice(0, 200)}` : ''})`;
}
