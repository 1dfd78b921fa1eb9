/** The .deb and the .tar.gz of an unpacked Linux app. */
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { appTree } from './app-tree.ts';
import { compress, writeDeb } from './deb.ts';
import type { TargetArch } from './builder.ts';

export interface LinuxArchives {
  readonly root: string;
  readonly appFolder: string;
  readonly arch: TargetArch;
  /** Where the two files go. */
  readonly output: string;
  /** Before the version in names: `conclave`, or what says that this is a test. */
  readonly name: string;
  /** A sentence before the description, where it needs one. */
  readonly warning?: string;
  readonly compression?: number;
}

const DEBIAN_ARCH = { x64: 'amd64', arm64: 'arm64' } as const;
const DESCRIPTION = `Conclave runs mixture-of-experts language models on this computer, with its own
WebGPU engine, also models that are larger than the memory of the graphics card.
It answers questions about your documents and works without internet.`;

/** The paths of what was written. */
export async function writeLinuxArchives(given: LinuxArchives): Promise<{ deb: string; tarGz: string }> {
  const { version } = JSON.parse(readFileSync(path.join(given.root, 'package.json'), 'utf8')) as { version: string };
  const settings = { modifiedSeconds: modifiedSeconds(), compression: given.compression ?? 9 };
  const stem = `${given.name}-${version}-linux`;
  const deb = path.join(given.output, `${stem}-${DEBIAN_ARCH[given.arch]}.deb`);
  const tarGz = path.join(given.output, `${stem}-${given.arch}.tar.gz`);
  mkdirSync(given.output, { recursive: true });
  await compress(tarGz, appTree(given.appFolder, `${stem}-${given.arch}`, 0o755), settings);
  await writeDeb(deb, {
    name: given.name.toLowerCase(),
    version,
    architecture: DEBIAN_ARCH[given.arch],
    summary: 'Private, offline chat with mixture-of-experts models',
    description: given.warning ? `${given.warning}\n${DESCRIPTION}` : DESCRIPTION,
    maintainer: 'The Conclave authors',
    appFolder: given.appFolder,
    resources: path.join(given.root, 'resources'),
    licence: readFileSync(path.join(given.root, 'LICENSE'), 'utf8'),
    ...settings,
  });
  return { deb, tarGz };
}

/** SOURCE_DATE_EPOCH, the convention of reproducible builds, else 2026-01-01: no clock, so the same app gives the same archive. */
function modifiedSeconds(): number {
  const given = Number(process.env.SOURCE_DATE_EPOCH);
  return Number.isInteger(given) && given > 0 ? given : 1_767_225_600;
}
