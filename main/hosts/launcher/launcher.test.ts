import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../tests/fixtures-services/temporary-folder.ts';
import { parseStartArguments } from './arguments.mjs';
import { isStale } from './builds.mjs';
import { cloneDataFolder } from './data-folder.mjs';
import { displayProblem, problemIn, runElectron } from './electron-app.mjs';
import { electronBinary, getElectron } from './electron-binary.mjs';

const posix = process.platform !== 'win32';
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => void (folder = temporaryFolder()));
afterEach(() => folder.remove());

/** A program of ours that stands for Electron. Through a shell: Node's own path may have a space, which #! does not take. */
function program(name: string, source: string): string {
  const place = path.join(folder.path, name);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(`${place}.cjs`, source);
  writeFileSync(place, `#!/bin/sh\nexec "${process.execPath}" "$0.cjs" "$@"\n`);
  chmodSync(place, 0o755);
  return place;
}

test('arguments: paths are meant from where the command was typed', () => {
  const environment = { INIT_CWD: path.resolve('/some where') };
  expect(parseStartArguments(['--data', 'dätä', '--browser', 'm.gguf', '--adapter=lavapipe'], environment)).toEqual({
    browser: true,
    open: true,
    dataFolder: path.resolve('/some where', 'dätä'),
    adapter: 'lavapipe',
    models: [path.resolve('/some where', 'm.gguf')],
  });
  expect(parseStartArguments([], { CONCLAVE_DATA: path.resolve('/d') }).dataFolder).toBe(path.resolve('/d'));
  expect(parseStartArguments(['--fly'], {}).problem).toContain('Usage');
  for (const asked of ['--help', '-h']) expect(parseStartArguments([asked, '--browser'], {}).help).toContain('--data DIR');
  expect(parseStartArguments(['--adapter', 'x'], {}).problem).toContain('--adapter is "x"');
});

test('a clone has a data folder of its own on every system', () => {
  const folders = [
    cloneDataFolder('win32', { APPDATA: 'C:\\Roaming' }, 'C:\\Users\\a'),
    cloneDataFolder('darwin', {}, '/Users/a'),
    cloneDataFolder('linux', {}, '/home/a'),
    cloneDataFolder('linux', { XDG_CONFIG_HOME: '/cfg' }, '/home/a'),
  ];
  for (const found of folders) expect(path.basename(found)).toBe('Conclave (clone)');
  expect(folders[3]).toBe(path.join('/cfg', 'Conclave (clone)'));
});

test('a build is stale when it is missing or a source is newer; tests are no sources', () => {
  const build = { output: 'out/x.js', sources: ['src', 'one.json'] };
  const touch = (name: string, seconds: number) => {
    const place = path.join(folder.path, name);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, '');
    utimesSync(place, seconds, seconds);
  };
  touch('src/deep/a.ts', 100);
  touch('src/deep/a.test.ts', 900);
  expect(isStale(folder.path, build)).toBe(true);
  touch('out/x.js', 200);
  expect(isStale(folder.path, build)).toBe(false);
  touch('one.json', 300);
  expect(isStale(folder.path, build)).toBe(true);
});

test('no display is said before anything is fetched', () => {
  expect(displayProblem('linux', {})).toContain('no display');
  expect(displayProblem('linux', { DISPLAY: ':0' })).toBeNull();
  expect(displayProblem('linux', { WAYLAND_DISPLAY: 'w' })).toBeNull();
  expect(displayProblem('win32', {})).toBeNull();
});

test.each([
  ['/x/electron: error while loading shared libraries: libnss3.so: cannot open shared object file', 'libnss3.so'],
  ['[1:2] ERROR:ozone_platform_x11.cc(246)] Missing X server or $DISPLAY', 'no display'],
  ['FATAL:setuid_sandbox_host.cc(158)] The SUID sandbox helper binary was found, but is not configured', 'sandbox'],
  ['FATAL:zygote_host_impl_linux.cc(116)] No usable sandbox! ...', 'sandbox'],
  ['ERROR: Running as root without --no-sandbox is not supported.', 'root'],
  ['\n  something strange\nmore', 'ended at once (exit code 3: something strange)'],
])('message %s is told as %s', (errors, expected) => {
  expect(problemIn(errors, 'exit code 3')).toContain(expected);
});

test.runIf(posix)(
  'an app that comes up: its exit code counts, its arguments arrive whole, it is not told to be Node',
  async () => {
    const binary = program(
      'Elec trön',
      `const fs = require('fs');
     fs.writeFileSync(process.env.CONCLAVE_READY_FILE, '');
     const { ELECTRON_RUN_AS_NODE: asNode = null, LANG } = process.env;
     fs.writeFileSync(${JSON.stringify(path.join(folder.path, 'told'))}, JSON.stringify({ args: process.argv.slice(2), asNode, LANG }));
     setTimeout(() => process.exit(7), 400);`,
    );
    const args = ['/a b/ç', '--data', 'x y'];
    const environment = { ...process.env, ELECTRON_RUN_AS_NODE: '1', LANG: 'de_DE.UTF-8' };
    expect(await runElectron(binary, args, { environment })).toEqual({ exitCode: 7 });
    const told = JSON.parse(readFileSync(path.join(folder.path, 'told'), 'utf8'));
    expect(told).toEqual({ args, asNode: null, LANG: 'de_DE.UTF-8' });
  },
);

test.runIf(posix)('an app that hands over to one that runs is no problem; one that ends or hangs is', async () => {
  expect(await runElectron(program('a', 'process.exit(0)'), [])).toEqual({ exitCode: 0 });
  const failing = program('b', `console.error('error while loading shared libraries: libgbm.so.1: none'); process.exit(127)`);
  expect((await runElectron(failing, [])).problem).toContain('libgbm.so.1');
  const hanging = program('c', 'setInterval(() => {}, 1000)');
  expect((await runElectron(hanging, [], { readyLimitMs: 300 })).problem).toContain('showed no window');
  expect((await runElectron(path.join(folder.path, 'nothing'), [])).problem).toContain('could not be started');
});

function installer(source: string): void {
  const place = path.join(folder.path, 'node_modules', 'electron', 'install.js');
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, source);
}
const arrive = `const fs = require('fs'), p = require('path');
  const make = () => { fs.mkdirSync(p.join(__dirname, 'dist'), { recursive: true }); fs.writeFileSync(p.join(__dirname, 'dist', 'electron'), 'x'); fs.writeFileSync(p.join(__dirname, 'path.txt'), 'electron'); };`;

test('Electron is fetched by its own installer, once', async () => {
  installer(`${arrive} make();`);
  const binary = path.join(folder.path, 'node_modules', 'electron', 'dist', 'electron');
  expect(await getElectron(folder.path, process.execPath)).toEqual({ binary });
  installer(`process.exit(1)`);
  expect(await getElectron(folder.path, process.execPath)).toEqual({ binary });
  expect(electronBinary(folder.path, {})).toBe(binary);
});

test('a host that does not answer, a download that halts, one that fails: each is said, nothing stays behind', async () => {
  const os = `const dir = require('os').tmpdir();`;
  expect(await getElectron(folder.path, process.execPath)).toEqual({ problem: 'the package electron is not installed' });
  installer(`setInterval(() => {}, 1000)`);
  expect((await getElectron(folder.path, process.execPath, { connectLimitMs: 700 })).problem).toContain('did not answer');
  installer(`${os} require('fs').writeFileSync(require('path').join(dir, 'electron.zip'), 'x'); setInterval(() => {}, 1000)`);
  expect((await getElectron(folder.path, process.execPath, { stallLimitMs: 700 })).problem).toContain('halt');
  installer(`console.error('HTTPError: getaddrinfo ENOTFOUND github.com'); process.exit(1)`);
  expect((await getElectron(folder.path, process.execPath)).problem).toBe(
    'Electron could not be downloaded (getaddrinfo ENOTFOUND github.com)',
  );
  installer(`console.error('TypeError: fetch failed\\n    at node:internal'); process.exit(1)`);
  expect((await getElectron(folder.path, process.execPath)).problem).toContain('download host cannot be reached');
});

test('all launcher files are plain JavaScript that does not need the packages', () => {
  const copy = path.join(folder.path, 'bare clöne', 'main', 'hosts', 'launcher');
  cpSync(import.meta.dirname, copy, { recursive: true });
  const { stderr, status } = spawnSync(process.execPath, [path.join(copy, 'start.mjs'), '--fly'], { encoding: 'utf8' });
  expect([status, stderr.split('\n')[0]]).toEqual([1, expect.stringContaining('--fly')]);
  expect(existsSync(path.join(folder.path, 'bare clöne', 'out'))).toBe(false);
});
