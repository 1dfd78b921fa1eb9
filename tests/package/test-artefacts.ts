/**
 * The app as it would be packaged, but around the old Electron that tests use as a stand-in: the same electron.builder.yml, fuses,
 * archive and .deb. Everything that is written says TEST and the Electron's version in its name.
 */
import { cpSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { runBuilder } from '../../main/hosts/packaging/builder.ts';
import { thirdPartyLicences } from '../../main/hosts/packaging/licences.ts';
import { writeLinuxArchives } from '../../main/hosts/packaging/linux-archives.ts';
import { STAND_IN_VERSION, standInElectron, standInModules } from '../electron/stand-in.ts';

export const TEST_NAME = `conclave-TEST-electron${STAND_IN_VERSION}`;

/** What the stand-in's own app left in it. */
const LEFT_OUT = ['app', 'app-update.yml'];

export interface TestArtefacts {
  readonly appFolder: string;
  readonly deb: string;
  readonly tarGz: string;
}

/** Needs the stand-in fetched and the app built for it. `compression` 1 to 9. */
export async function makeTestArtefacts(root: string, compression: number): Promise<TestArtefacts> {
  const output = path.join(root, 'dist', 'test');
  const electronFolder = path.join(root, 'out', 'stand-in', 'electron');
  rmSync(output, { recursive: true, force: true });
  writeFileSync(path.join(root, 'out', 'third-party-licences.txt'), thirdPartyLicences(root));
  const appFolder = await runBuilder({
    root,
    appFolder: stageApp(root),
    platform: 'linux',
    arch: 'x64',
    targets: ['dir'],
    electronFolder: stageElectron(electronFolder),
    output,
    overrides: {
      electronVersion: STAND_IN_VERSION,
      // libsql stands in for better-sqlite3.
      files: ['libsql', '@libsql/linux-x64-gnu', '@neon-rs', 'detect-libc'].map((name) => `node_modules/${name}/**`),
    },
    withoutFuses: ['grantFileProtocolExtraPrivileges'],
  });
  rmSync(electronFolder, { recursive: true });
  const written = await writeLinuxArchives({
    root,
    appFolder,
    arch: 'x64',
    output,
    name: TEST_NAME,
    warning: `TEST ARTEFACT around Electron ${STAND_IN_VERSION}, which gets no security fixes. Never publish it.`,
    compression,
  });
  return { appFolder, ...written };
}

/** Beside the build for the stand-in: its package.json, its modules. */
function stageApp(root: string): string {
  const folder = path.join(root, 'out', 'stand-in');
  const { name, version, description, author, license } = JSON.parse(
    readFileSync(path.join(root, 'package.json'), 'utf8'),
  ) as Record<string, string>;
  const dependencies = { libsql: '*' };
  const manifest = { name, version, description, author, license, dependencies, main: 'out/main/main.cjs' };
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest));
  cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  rmSync(path.join(folder, 'node_modules'), { recursive: true, force: true });
  cpSync(standInModules, path.join(folder, 'node_modules'), { recursive: true });
  return folder;
}

/** A copy as Electron's own archive would be: the executable under its usual name, no app in it. */
function stageElectron(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  cpSync(standInElectron.folder, folder, { recursive: true, filter: (file) => !LEFT_OUT.includes(path.basename(file)) });
  renameSync(path.join(folder, standInElectron.executable), path.join(folder, 'electron'));
  return folder;
}
