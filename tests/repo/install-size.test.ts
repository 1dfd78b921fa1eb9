import { lstatSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { root } from './repository.ts';

const limitBytes = 750e6;

it('npm install takes at most 750 MB without the binary of Electron', () => {
  const sizes = new Map<string, number>();
  const folder = realpathSync(path.join(root, 'node_modules'));
  for (const name of readdirSync(folder)) sizes.set(name, sizeOf(path.join(folder, name), path.join(folder, 'electron', 'dist')));
  const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
  const largest = [...sizes].sort((a, b) => b[1] - a[1]).slice(0, 8);
  const list = largest.map(([name, size]) => `${name} ${Math.round(size / 1e6)} MB`).join(', ');
  console.log(`node_modules: ${Math.round(total / 1e6)} MB (${list})`);
  expect(total, list).toBeLessThanOrEqual(limitBytes);
  expect(total).toBeGreaterThan(100e6); // that it measured something
});

function sizeOf(place: string, without: string): number {
  if (place === without) return 0;
  const stat = lstatSync(place);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(place).reduce((sum, name) => sum + sizeOf(path.join(place, name), without), 0);
}
