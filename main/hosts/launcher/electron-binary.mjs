/**
 * Electron's binary: the npm package fetches it on demand. We run its own install.js, watch the bytes arrive (its temporary files go to a
 * folder of ours), and give up when none comes in time, so that a machine without a way to the download host starts anyway.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { end } from './processes.mjs';

const CONNECT_LIMIT_MS = 20_000;
/** A connection that was there and brings nothing any more. */
const STALL_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 500;
const SAY_EVERY_MS = 5_000;

/** The path of the binary, or null while it is not there. */
export function electronBinary(root, environment = process.env) {
  const folder = path.join(root, 'node_modules', 'electron');
  const dist = environment.ELECTRON_OVERRIDE_DIST_PATH || path.join(folder, 'dist');
  try {
    const binary = path.join(dist, readFileSync(path.join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}

/** `{binary}`, or `{problem}`: half a sentence. */
export async function getElectron(root, node, limits = {}) {
  const found = electronBinary(root);
  if (found) return { binary: found };
  const folder = path.join(root, 'node_modules', 'electron');
  const script = path.join(folder, 'install.js');
  if (!existsSync(script)) return { problem: 'the package electron is not installed' };
  const temporary = mkdtempSync(path.join(os.tmpdir(), 'conclave-electron-'));
  try {
    console.log('Fetching Electron (about 110 MB, once) …');
    const problem = await download(node, script, temporary, path.join(folder, 'dist'), limits);
    const binary = electronBinary(root);
    return binary ? { binary } : { problem: problem ?? "Electron's binary is missing after its installation" };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Resolves with what went wrong, or null. */
function download(node, script, temporary, dist, { connectLimitMs = CONNECT_LIMIT_MS, stallLimitMs = STALL_LIMIT_MS }) {
  return new Promise((resolve) => {
    const environment = { ...process.env, TMPDIR: temporary, TEMP: temporary, TMP: temporary };
    const child = spawn(node, [script], { stdio: ['ignore', 'ignore', 'pipe'], env: environment });
    let errors = '';
    child.stderr.on('data', (chunk) => (errors += chunk));
    const before = bytesBelow(dist);
    let bytes = 0;
    let changedAtMs = Date.now();
    let saidAtMs = Date.now();
    const watch = setInterval(() => {
      const now = Date.now();
      const seen = bytesBelow(temporary) + Math.max(0, bytesBelow(dist) - before);
      if (seen !== bytes) [bytes, changedAtMs] = [seen, now];
      if (bytes > 0 && now - saidAtMs >= SAY_EVERY_MS) {
        console.log(`  ${Math.round(bytes / 1e6)} MB`);
        saidAtMs = now;
      }
      if (bytes === 0 && now - changedAtMs > connectLimitMs)
        finish(`Electron's download host did not answer within ${Math.round(connectLimitMs / 1000)} s`);
      else if (bytes > 0 && now - changedAtMs > stallLimitMs) finish('the download of Electron came to a halt');
    }, LOOK_EVERY_MS);
    let isFinished = false;
    const finish = (problem) => {
      if (isFinished) return;
      isFinished = true;
      clearInterval(watch);
      void end(child).then(() => resolve(problem));
    };
    child.on('error', (error) => finish(`Electron's installation could not be started (${error.message})`));
    child.on('close', (code) => finish(code === 0 ? null : `Electron could not be downloaded (${reasonIn(errors)})`));
  });
}

/** The line of a stack trace that says something. */
function reasonIn(errors) {
  if (/fetch failed/.test(errors)) return 'its download host cannot be reached';
  const lines = errors.split('\n').map((line) => line.trim());
  const cause = /(getaddrinfo \w+ \S+|connect \w+ \S+|ECONN\w+|ETIMEDOUT|Response code \d+[^)\n]*|certificate[^\n]*)/i.exec(
    errors,
  );
  return (cause?.[1] ?? lines.find((line) => /error/i.test(line)) ?? lines[0] ?? 'no reason given').replace(/^\w*Error: /, '');
}

function bytesBelow(folder) {
  if (!existsSync(folder)) return 0;
  let total = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    try {
      total += entry.isDirectory() ? bytesBelow(place) : statSync(place).size;
    } catch {
      // a temporary file that went away between the two calls
    }
  }
  return total;
}
