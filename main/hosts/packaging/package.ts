/**
 * `npm run package [-- --dir] [--all] [--arch x64|arm64 …]`: the installers of this system, in dist/. Windows and macOS: what
 * electron.builder.yml names. Linux: .deb and .tar.gz, which need no download but Electron; `--all` adds AppImage and .rpm.
 * `--dir` stops at the unpacked app. On Linux x64 without a way to Electron's downloads it makes test artefacts, named as such, instead.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { getElectron } from '../launcher/electron-binary.mjs';
import { runBuilder, type TargetArch, type TargetPlatform } from './builder.ts';
import { thirdPartyLicences } from './licences.ts';
import { writeLinuxArchives } from './linux-archives.ts';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
const output = path.join(root, 'dist');

/** Named here, because without names electron-builder makes every architecture of the configuration at once. */
const TARGETS = { linux: ['AppImage', 'rpm'], win32: ['nsis'], darwin: ['dmg', 'zip'] } as const;

const { values } = parseArgs({
  options: {
    dir: { type: 'boolean', default: false },
    all: { type: 'boolean', default: false },
    arch: { type: 'string', multiple: true, default: [process.arch] },
  },
});
process.exitCode = await run();

async function run(): Promise<number> {
  const unknown = values.arch.find((arch) => arch !== 'x64' && arch !== 'arm64');
  if (unknown) return fail(`--arch is "${unknown}", but must be x64 or arm64.`);
  const electron = await getElectron(root, process.execPath);
  if (electron.problem !== undefined) return withoutElectron(electron.problem);
  if (!node(['node_modules/electron-vite/bin/electron-vite.js', 'build'])) return fail('The app could not be built.');
  mkdirSync(path.join(root, 'out'), { recursive: true });
  writeFileSync(path.join(root, 'out', 'third-party-licences.txt'), thirdPartyLicences(root));
  for (const arch of values.arch as TargetArch[]) await packageFor(arch);
  return 0;
}

async function packageFor(arch: TargetArch): Promise<void> {
  const platform = process.platform as TargetPlatform;
  const isLinux = platform === 'linux';
  const appFolder = await runBuilder({
    root,
    platform,
    arch,
    targets: values.dir || (isLinux && !values.all) ? ['dir'] : TARGETS[platform],
    electronFolder: arch === process.arch ? path.join(root, 'node_modules', 'electron', 'dist') : null,
    output,
  });
  if (isLinux && !values.dir) {
    const written = await writeLinuxArchives({ root, appFolder, arch, output, name: 'conclave' });
    console.log(Object.values(written).join('\n'));
  } else console.log(appFolder);
}

/** The stand-in is a matter of tests, so they make it. */
function withoutElectron(problem: string): number {
  if (process.platform !== 'linux' || process.arch !== 'x64') return fail(`Nothing was packaged, because ${problem}.`);
  console.log(`There is no release to be made here, because ${problem}. Making test artefacts from an old Electron instead.`);
  return node(['tests/package/make-test-artefacts.ts']) ? 0 : 1;
}

function node(args: readonly string[]): boolean {
  return spawnSync(process.execPath, [...process.execArgv, ...args], { cwd: root, stdio: 'inherit' }).status === 0;
}

function fail(sentence: string): number {
  console.error(sentence);
  return 1;
}
