/** What a package must hold, and nothing else: the names in app.asar for one target. */
import { readFileSync } from 'node:fs';
import type { TargetArch, TargetPlatform } from '../../main/hosts/packaging/builder.ts';

interface AsarNode {
  readonly files?: Readonly<Record<string, AsarNode>>;
  readonly unpacked?: boolean;
}

export interface AsarFile {
  readonly path: string;
  /** Lies beside the archive, in app.asar.unpacked. */
  readonly unpacked: boolean;
}

/** The files that an asar archive lists, in its order. Its header: four little-endian lengths, then JSON. */
export function asarFiles(archive: string): AsarFile[] {
  const bytes = readFileSync(archive);
  const json = bytes.toString('utf8', 16, 16 + bytes.readUInt32LE(12));
  const files: AsarFile[] = [];
  const walk = (node: AsarNode, place: string) => {
    for (const [name, child] of Object.entries(node.files ?? {})) {
      const path = place ? `${place}/${name}` : name;
      if (child.files) walk(child, path);
      else files.push({ path, unpacked: child.unpacked === true });
    }
  };
  walk(JSON.parse(json) as AsarNode, '');
  return files;
}

/** One pattern per file or kind of file; every pattern must be met, and every file must meet one. */
export function expectedFiles(platform: TargetPlatform, arch: TargetArch): readonly RegExp[] {
  return [
    /^package\.json$/,
    /^LICENSE$/,
    /^out\/main\/main\.cjs$/,
    /^out\/main\/document-worker\.cjs$/,
    /^out\/main\/shared\/[\w.-]+\.cjs$/,
    /^out\/preload\/chat\.cjs$/,
    /^out\/preload\/engine\.cjs$/,
    /^out\/renderer\/index\.html$/,
    /^out\/renderer\/assets\/[\w.-]+$/,
    /^node_modules\/better-sqlite3\/(package\.json|LICENSE)$/,
    /^node_modules\/better-sqlite3\/lib\/[\w./-]+\.js$/,
    new RegExp(`^node_modules/better-sqlite3/prebuilds/${platform}-${arch}\\.node$`),
  ];
}

/** Complaints: files that nothing expects, expectations that no file meets, files that are packed where they must not be. */
export function judgeContents(files: readonly AsarFile[], expected: readonly RegExp[]): string[] {
  return [
    ...files.filter(({ path }) => !expected.some((pattern) => pattern.test(path))).map(({ path }) => `unneeded: ${path}`),
    ...expected.filter((pattern) => !files.some(({ path }) => pattern.test(path))).map((pattern) => `missing: ${pattern.source}`),
    ...files
      .filter(({ path, unpacked }) => unpacked !== path.endsWith('.node'))
      .map(({ path, unpacked }) => `${unpacked ? 'unpacked' : 'packed'}: ${path}`),
  ];
}
