/**
 * Starts the app again. On Linux not with app.relaunch(): Electron starts that process with PR_SET_NO_NEW_PRIVS, so that chrome-sandbox, where
 * it is the sandbox, cannot become root and the new app dies without a word (electron/electron issues 41463, 51016; seen in a Debian 12 chroot).
 */
import { spawn } from 'node:child_process';
import { openSync, readdirSync } from 'node:fs';
import { app } from 'electron';

const FORMER = 'CONCLAVE_FORMER_PID';
const WAIT_LIMIT_MS = 3_000;
const LOOK_EVERY_MS = 25;

/** To be called when everything is closed, right before the end. */
export function startAgain(): void {
  if (process.platform !== 'linux') return app.relaunch();
  // An AppImage is mounted for as long as its process runs: what can be started again is the file.
  const program = process.env.APPIMAGE ?? process.execPath;
  const env = { ...process.env, [FORMER]: String(process.pid) };
  spawn(program, process.argv.slice(1), { detached: true, stdio: nothingOpen(), env }).unref();
}

/**
 * Nothing behind every descriptor that is open here. Chromium leaves closing to whoever starts a process, and Node does not close what it
 * did not open: the new app would hold the old one's sockets, and the old one's helpers would wait on them for ever.
 */
function nothingOpen(): number[] {
  const nothing = openSync('/dev/null', 'r+');
  const highest = Math.max(...readdirSync('/proc/self/fd').map(Number));
  return Array<number>(highest + 1).fill(nothing);
}

/** Waits until the process that started this one is gone, so that nobody else has the data folder. At once where there is none. */
export function waitForFormer(): void {
  const former = Number(process.env[FORMER]);
  delete process.env[FORMER];
  if (!Number.isInteger(former) || former <= 1) return;
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; waitedMs < WAIT_LIMIT_MS && isAlive(former); waitedMs += LOOK_EVERY_MS)
    Atomics.wait(nothing, 0, 0, LOOK_EVERY_MS);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
