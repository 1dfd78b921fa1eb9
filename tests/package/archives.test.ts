import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parentFolders } from '../../main/hosts/packaging/app-tree.ts';
import { debianDepends } from '../../main/hosts/packaging/debian-depends.ts';
import { neededLibraries } from '../../main/hosts/packaging/elf.ts';
import { writeTar, type TarEntry } from '../../main/hosts/packaging/tar.ts';

let folder: string;
beforeAll(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'conclave-archives-'))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const text = (place: string, content: string, mode = 0o644): TarEntry => {
  return { kind: 'file', path: place, mode, content: Buffer.from(content) };
};

async function tarBytes(entries: readonly TarEntry[]): Promise<Buffer> {
  const out = new PassThrough();
  const chunks: Buffer[] = [];
  out.on('data', (chunk: Buffer) => chunks.push(chunk));
  await writeTar(out, entries, 1_700_000_000);
  return Buffer.concat(chunks);
}

describe('tar', () => {
  const long = `${'folder/'.repeat(20)}${'name'.repeat(20)}.txt`;

  it("is read by the system's tar: empty and uneven files, long and non-ASCII names", async () => {
    const entries = [
      text('empty', ''),
      text('üben 模型', 'x'.repeat(513)),
      text(long, 'deep'),
      { kind: 'folder', path: 'f' } as const,
    ];
    const file = path.join(folder, 'a.tar');
    writeFileSync(file, await tarBytes(entries));
    const { stdout, status } = spawnSync('tar', ['-xf', 'a.tar'], { cwd: folder, encoding: 'utf8' });
    expect(status, stdout).toBe(0);
    expect(readFileSync(path.join(folder, 'empty'), 'utf8')).toBe('');
    expect(readFileSync(path.join(folder, 'üben 模型'), 'utf8')).toHaveLength(513);
    expect(readFileSync(path.join(folder, long), 'utf8')).toBe('deep');
  });

  it('gives the same bytes for the same entries, a whole number of blocks', async () => {
    const [first, second] = [await tarBytes([text('a', 'b')]), await tarBytes([text('a', 'b')])];
    expect(first.equals(second)).toBe(true);
    expect(first.length).toBe(4 * 512);
  });

  it('refuses a name that does not fit, and a file that changed meanwhile', async () => {
    await expect(tarBytes([text('n'.repeat(101), '')])).rejects.toThrow('too long');
    const source = path.join(folder, 'grown');
    writeFileSync(source, 'longer than said');
    await expect(tarBytes([{ kind: 'file', path: 'grown', mode: 0o644, source, sizeBytes: 3 }])).rejects.toThrow('changed while');
  });

  it('lists the folders above entries once', () => {
    const folders = parentFolders([text('opt/a/b', ''), { kind: 'folder', path: 'opt/a' }, text('usr/x', '')]);
    expect(folders.map((entry) => entry.path)).toEqual(['opt', 'usr']);
  });
});

/** The least ELF file that links to `libraries`: a header, two program headers, the dynamic section, its strings. */
function elfThatNeeds(libraries: readonly string[]): Buffer {
  const base = 0x40_0000;
  const dynamicAt = 64 + 2 * 56;
  const dynamicBytes = 16 * (libraries.length + 2);
  const strings = Buffer.from(`\0${libraries.map((name) => `${name}\0`).join('')}`, 'latin1');
  const bytes = Buffer.alloc(dynamicAt + dynamicBytes + strings.length);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(2, 56);
  const segment = (i: number, type: number, offset: number, sizeBytes: number) => {
    bytes.writeUInt32LE(type, 64 + i * 56);
    bytes.writeBigUInt64LE(BigInt(offset), 64 + i * 56 + 8);
    bytes.writeBigUInt64LE(BigInt(base + offset), 64 + i * 56 + 16);
    bytes.writeBigUInt64LE(BigInt(sizeBytes), 64 + i * 56 + 32);
  };
  segment(0, 1, 0, bytes.length);
  segment(1, 2, dynamicAt, dynamicBytes);
  let offset = 1;
  libraries.forEach((name, i) => {
    bytes.writeBigUInt64LE(1n, dynamicAt + i * 16);
    bytes.writeBigUInt64LE(BigInt(offset), dynamicAt + i * 16 + 8);
    offset += name.length + 1;
  });
  bytes.writeBigUInt64LE(5n, dynamicAt + libraries.length * 16);
  bytes.writeBigUInt64LE(BigInt(base + dynamicAt + dynamicBytes), dynamicAt + libraries.length * 16 + 8);
  strings.copy(bytes, dynamicAt + dynamicBytes);
  return bytes;
}

describe('what a .deb depends on', () => {
  const file = (name: string, content: Buffer | string) => {
    const place = path.join(folder, name);
    writeFileSync(place, content);
    return place;
  };

  it('is read from the binaries, without what the package brings itself', () => {
    const app = file('app', elfThatNeeds(['libnss3.so', 'libffmpeg.so', 'libasound.so.2', 'libc.so.6', 'libm.so.6']));
    expect(neededLibraries(app)).toEqual(['libnss3.so', 'libffmpeg.so', 'libasound.so.2', 'libc.so.6', 'libm.so.6']);
    expect(debianDepends([app, file('page.html', '<!doctype html>'.repeat(20))], new Set(['libffmpeg.so']))).toEqual([
      'libasound2 | libasound2t64',
      'libc6',
      'libgl1',
      'libnss3',
      'libsecret-1-0',
      'libx11-xcb1',
      'xdg-utils',
    ]);
  });

  it('a library that no table knows is an error that names it', () => {
    const app = file('app2', elfThatNeeds(['libnew.so.9']));
    expect(() => debianDepends([app], new Set())).toThrow(/app2 links to libnew\.so\.9/);
  });

  it('files that are no programs need nothing', () => {
    expect(neededLibraries(file('short', 'x'))).toBeNull();
    expect(neededLibraries(file('text', 'x'.repeat(1000)))).toBeNull();
  });
});
