/**
 * Finds a Node that can run Conclave. Plain JavaScript that any Node ≥ 18 parses: this is what runs before anything else.
 * Order: the Node that runs this file, then the Node 24 that came with `npm install` (packages without install scripts).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** 22.18 is the first with type stripping on by default; better-sqlite3 13 needs Node-API 10 (22.14). */
export const LEAST_NODE = [22, 18];

export function isRecentEnough(version, least = LEAST_NODE) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number);
  return major > least[0] || (major === least[0] && minor >= least[1]);
}

/** Path of the packaged Node for this platform, or null where there is none. */
export function packagedNode(platform = process.platform, arch = process.arch) {
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`;
  const file = platform === 'win32' ? 'bin/node.exe' : 'bin/node';
  try {
    const root = path.dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
    const candidate = path.join(root, file);
    return existsSync(candidate) ? candidate : null;
  } catch {
    return null;
  }
}

/** The Node to run with, or a sentence that says what was found, what is needed and where to get it. */
export function chooseNode() {
  if (isRecentEnough(process.version)) return { path: process.execPath };
  const packaged = packagedNode();
  if (packaged) return { path: packaged };
  return {
    problem:
      `Conclave needs Node ${LEAST_NODE.join('.')} or newer, but this is Node ${process.version} and no packaged Node was found ` +
      `for ${process.platform}-${process.arch}: run "npm install" here (with optional packages), or get Node 24 from https://nodejs.org/.`,
  };
}
