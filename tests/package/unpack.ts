/** Takes a .deb and a tar.gz apart again with the system's tar, independent of the code that wrote them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Files of the package below `folder`/data, of its control archive below `folder`/control. */
export function unpackDeb(deb: string, folder: string): { data: string; control: string } {
  const bytes = readFileSync(deb);
  if (bytes.toString('latin1', 0, 8) !== '!<arch>\n') throw new Error(`${deb} is no ar archive`);
  const places = { data: path.join(folder, 'data'), control: path.join(folder, 'control') };
  const names: string[] = [];
  for (let at = 8; at < bytes.length;) {
    const name = bytes.toString('latin1', at, at + 16).trim();
    const sizeBytes = Number(bytes.toString('latin1', at + 48, at + 58));
    const content = bytes.subarray(at + 60, at + 60 + sizeBytes);
    names.push(name);
    const kind = /^(data|control)\.tar\.gz$/.exec(name)?.[1] as 'data' | 'control' | undefined;
    if (kind) {
      mkdirSync(places[kind], { recursive: true });
      writeFileSync(path.join(folder, name), content);
      unpackTarGz(path.join(folder, name), places[kind]);
    }
    at += 60 + sizeBytes + (sizeBytes % 2);
  }
  if (names.join() !== 'debian-binary,control.tar.gz,data.tar.gz') throw new Error(`${deb} has the members ${names.join()}`);
  return places;
}

export function unpackTarGz(file: string, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const { status, stderr, error } = spawnSync('tar', ['-xzpf', file, '-C', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar -xzpf ${file}: ${error?.message ?? stderr}`);
}
