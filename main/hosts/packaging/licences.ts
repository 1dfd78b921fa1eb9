/** The licences of the libraries that are bundled into the app: their authors ask that the text goes with every copy. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** In `dependencies`, but only of the command line and the browser host, which are not in the app. */
const NOT_IN_THE_APP = ['webgpu'];
/** In `devDependencies`, because a build turns it into code of the page. */
const BUILT_IN = ['svelte'];

export function thirdPartyLicences(root: string): string {
  const found = new Map<string, string>();
  const waiting = [...Object.keys(manifestIn(root).dependencies ?? {}), ...BUILT_IN].map((name) => ({ name, from: root }));
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (found.has(next.name) || NOT_IN_THE_APP.includes(next.name)) continue;
    const folder = locate(next.name, next.from);
    if (!folder) continue; // a dependency that this platform does not install
    const manifest = manifestIn(folder);
    found.set(
      next.name,
      `${manifest.name} ${manifest.version} (${manifest.license ?? 'licence not named'})\n\n${textIn(folder)}`,
    );
    waiting.push(...Object.keys(manifest.dependencies ?? {}).map((name) => ({ name, from: folder })));
  }
  for (const name of found.keys()) {
    const carried = path.join(root, 'resources', 'package', 'licences', `${name.replace('/', '+')}.txt`); // of what is inside it
    if (existsSync(carried)) found.set(name, `${found.get(name)}\n\n${readFileSync(carried, 'utf8').trim()}`);
  }
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  const texts = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text.trim());
  return `Conclave is built with the libraries below.${rule}${texts.join(rule)}\n`;
}

function textIn(folder: string): string {
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|notice|copying)/i.test(name));
  return files
    .sort()
    .map((name) => readFileSync(path.join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
    .join('\n\n');
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as Manifest;
}

function locate(name: string, from: string): string | null {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', name);
    if (existsSync(path.join(candidate, 'package.json'))) return candidate;
    if (folder === path.dirname(folder)) return null;
  }
}
