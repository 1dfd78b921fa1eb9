/**
 * A Debian package from the unpacked app, in plain Node: no dpkg, no fpm, so it is made the same way on every machine. The app lies in
 * /opt, a launcher entry, the file type, icons and the command `conclave` where the desktop looks for them.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { appTree, parentFolders } from './app-tree.ts';
import { writeAr } from './ar.ts';
import { debianDepends } from './debian-depends.ts';
import { sizeOf, writeTar, type TarEntry } from './tar.ts';

export interface DebianPackage {
  /** The package's own name, as `apt remove` wants it. */
  readonly name: string;
  readonly version: string;
  readonly architecture: 'amd64' | 'arm64';
  readonly summary: string;
  readonly description: string;
  readonly maintainer: string;
  /** The unpacked app, with its executable `conclave`. */
  readonly appFolder: string;
  /** resources/ of the repository: icons/ and package/linux/ are used. */
  readonly resources: string;
  readonly licence: string;
  readonly modifiedSeconds: number;
  /** 1 (fast) to 9. */
  readonly compression: number;
}

const APP = 'opt/Conclave';
const ICON_SIZES = [16, 24, 32, 48, 64, 128, 256, 512];

export async function writeDeb(file: string, given: DebianPackage): Promise<void> {
  const app = appTree(given.appFolder, APP, 0o4755);
  const entries = [...app, ...systemFiles(given)];
  const all = [...parentFolders(entries), ...entries].sort((a, b) => (a.path < b.path ? -1 : 1));
  const inPlace = all.map((entry) => ({ ...entry, path: `./${entry.path}` }));
  const folder = mkdtempSync(`${file}.`);
  try {
    const data = path.join(folder, 'data.tar.gz');
    await compress(data, [{ kind: 'folder', path: '.' }, ...inPlace], given);
    const control = path.join(folder, 'control.tar.gz');
    await compress(control, await controlFiles(given, all), given);
    await writeAr(
      file,
      [
        { name: 'debian-binary', content: Buffer.from('2.0\n') },
        { name: 'control.tar.gz', content: { file: control } },
        { name: 'data.tar.gz', content: { file: data } },
      ],
      given.modifiedSeconds,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What lies outside /opt. */
function systemFiles({ resources, name, licence }: DebianPackage): TarEntry[] {
  const text = (place: string, from: string): TarEntry => {
    return { kind: 'file', path: place, mode: 0o644, content: readFileSync(path.join(resources, from)) };
  };
  return [
    { kind: 'link', path: 'usr/bin/conclave', target: `/${APP}/conclave` },
    text('usr/share/applications/conclave.desktop', 'package/linux/conclave.desktop'),
    text('usr/share/mime/packages/conclave.xml', 'package/linux/conclave-mime.xml'),
    text(`${APP}/resources/apparmor-profile`, 'package/linux/apparmor-profile'),
    ...ICON_SIZES.map((size) => text(`usr/share/icons/hicolor/${size}x${size}/apps/conclave.png`, `icons/${size}x${size}.png`)),
    text('usr/share/icons/hicolor/scalable/apps/conclave.svg', 'icon.svg'),
    { kind: 'file', path: `usr/share/doc/${name}/copyright`, mode: 0o644, content: Buffer.from(copyright(licence)) },
  ];
}

function copyright(licence: string): string {
  return `${licence.trim()}\n\nConclave contains Electron and Chromium: their licences are in /${APP}/LICENSE.electron.txt and
/${APP}/LICENSES.chromium.html; those of the libraries that Conclave is built with are in
/${APP}/resources/third-party-licences.txt.\n`;
}

async function controlFiles(given: DebianPackage, data: readonly TarEntry[]): Promise<TarEntry[]> {
  const script = (name: string): TarEntry => {
    return {
      kind: 'file',
      path: `./${name}`,
      mode: 0o755,
      content: readFileSync(path.join(given.resources, 'package', 'linux', name)),
    };
  };
  return [
    { kind: 'folder', path: '.' },
    { kind: 'file', path: './control', mode: 0o644, content: Buffer.from(control(given, data)) },
    { kind: 'file', path: './md5sums', mode: 0o644, content: Buffer.from(await md5sums(data)) },
    script('postinst'),
    script('postrm'),
  ];
}

function control(given: DebianPackage, data: readonly TarEntry[]): string {
  const installedKiB = data.reduce((sum, entry) => sum + Math.ceil(sizeOf(entry) / 1024) + (entry.kind === 'file' ? 0 : 1), 0);
  const files = data.flatMap((entry) => (entry.kind === 'file' && 'source' in entry ? [entry.source] : []));
  const depends = debianDepends(files, new Set(files.map((file) => path.basename(file))));
  return [
    `Package: ${given.name}`,
    `Version: ${given.version}`,
    `Architecture: ${given.architecture}`,
    `Maintainer: ${given.maintainer}`,
    `Installed-Size: ${installedKiB}`,
    `Depends: ${depends.join(', ')}`,
    'Recommends: mesa-vulkan-drivers | vulkan-icd',
    'Section: utils',
    'Priority: optional',
    `Description: ${given.summary}`,
    ...given.description.split('\n').map((line) => ` ${line === '' ? '.' : line}`),
    '',
  ].join('\n');
}

async function md5sums(data: readonly TarEntry[]): Promise<string> {
  let lines = '';
  for (const entry of data) {
    if (entry.kind !== 'file') continue;
    const hash = createHash('md5');
    if ('content' in entry) hash.update(entry.content);
    else await pipeline(createReadStream(entry.source), hash);
    lines += `${hash.digest('hex')}  ${entry.path}\n`;
  }
  return lines;
}

/** A .tar.gz with these entries. */
export async function compress(
  file: string,
  entries: readonly TarEntry[],
  { modifiedSeconds, compression }: { readonly modifiedSeconds: number; readonly compression: number },
): Promise<void> {
  const gzip = createGzip({ level: compression, chunkSize: 1 << 20 });
  const written = pipeline(gzip, createWriteStream(file));
  const archived = writeTar(gzip, entries, modifiedSeconds).then(() => gzip.end());
  await Promise.all([archived, written]);
}
