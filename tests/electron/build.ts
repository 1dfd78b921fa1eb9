/** Builds of the app under test: for the pinned Electron into out/, for the stand-in into out/stand-in/out. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { STAND_IN_MAJOR } from './stand-in.ts';

export function buildForPinned(root: string): void {
  build(root, {});
}

export function buildForStandIn(root: string): void {
  build(root, { CONCLAVE_STAND_IN: '1', ELECTRON_MAJOR_VER: STAND_IN_MAJOR });
}

function build(root: string, environment: Readonly<Record<string, string>>): void {
  const electronVite = path.join(root, 'node_modules', 'electron-vite', 'bin', 'electron-vite.js');
  const env = { ...process.env, ...environment };
  const result = spawnSync(process.execPath, [electronVite, 'build'], { cwd: root, env, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`the build failed:\n${result.stdout}${result.stderr}`);
}
