/** Builds what is older than its sources: everything for Electron, only the chat page for the browser host. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { runToEnd } from './processes.mjs';

/** What each build writes last or always, what it is made of and how. */
const BUILDS = {
  electron: {
    output: 'out/main/main.cjs',
    sources: ['main', 'gpu', 'renderer', 'types', 'resources', 'electron.vite.config.ts', 'package.json'],
    command: ['node_modules/electron-vite/bin/electron-vite.js', 'build'],
    name: 'the app',
  },
  page: {
    output: 'out/renderer/index.html',
    sources: ['renderer', 'main/contract', 'gpu/errors.ts', 'resources', 'package.json'],
    command: ['node_modules/vite/bin/vite.js', 'build', '--config', 'renderer/vite.config.ts', '--logLevel', 'warn'],
    name: 'the chat page',
  },
};

/** Unix milliseconds of the newest file at or below `place`; 0 where there is none. Tests do not count: builds do not hold them. */
export function newestMs(place) {
  if (!existsSync(place)) return 0;
  const found = statSync(place);
  if (!found.isDirectory()) return found.mtimeMs;
  let newest = 0;
  for (const entry of readdirSync(place, { withFileTypes: true })) {
    if (entry.name === 'node_modules' || /\.test\.ts$/.test(entry.name)) continue;
    newest = Math.max(newest, newestMs(path.join(place, entry.name)));
  }
  return newest;
}

export function isStale(root, { output, sources }) {
  const built = path.join(root, output);
  if (!existsSync(built)) return true;
  const builtMs = statSync(built).mtimeMs;
  return sources.some((source) => newestMs(path.join(root, source)) > builtMs);
}

/** Resolves with null when the build is there, else with a sentence. */
export async function ensureBuilt(root, kind, node) {
  const build = BUILDS[kind];
  if (!isStale(root, build)) return null;
  console.log(`Building ${build.name} (its sources are newer) …`);
  const { code, output } = await runToEnd(node, build.command, { cwd: root });
  if (code === 0) return null;
  console.error(output.trim());
  return `${build.name} could not be built`;
}
