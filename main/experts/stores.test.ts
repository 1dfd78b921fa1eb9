import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EngineLinks } from '../contract/engine.ts';
import { availableIn, readRam } from './memory.ts';
import { fileCacheIn, memoryGroupFolder } from './memory-group.ts';
import { keepFound, readFound } from './found-store.ts';
import { keepLinks, readLinks } from './link-store.ts';
import { ProfileStore } from './profile-store.ts';

let folder = '';
beforeEach(() => (folder = mkdtempSync(path.join(os.tmpdir(), 'conclave Größen '))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const links = (adapter: string, tensorType: string, readbackMs = 1): EngineLinks => ({
  adapter,
  tensorType,
  diskBytesPerSecond: null,
  uploadBytesPerSecond: 2e9,
  readbackMs,
  computeBytesPerSecond: 3e10,
  dispatchMs: 0.01,
});

test('links are kept per adapter and type; the newest counts; a damaged file is no file', () => {
  expect(readLinks(folder)).toEqual([]);
  keepLinks(folder, links('a', 'Q4_K'));
  keepLinks(folder, links('a', 'Q8_0'));
  keepLinks(folder, links('b', 'Q4_K'));
  keepLinks(folder, links('a', 'Q4_K', 7));
  expect(readLinks(folder)).toEqual([links('a', 'Q8_0'), links('b', 'Q4_K'), links('a', 'Q4_K', 7)]);
  for (const damage of ['', '{', '{"version":2,"links":[]}', '{"version":1,"links":[{"adapter":"a"}]}']) {
    writeFileSync(path.join(folder, 'machine.json'), damage);
    expect(readLinks(folder)).toEqual([]);
  }
});

test('what the last load found is there after a restart; a damaged file is no file', () => {
  expect(readFound(folder)).toBeNull();
  const figures = { gpuFreeBytes: null, ramFreeBytes: 8e9, ramTotalBytes: 16e9 };
  const rates = {
    diskBytesPerSecond: null,
    uploadBytesPerSecond: 2e9,
    readbackMs: 0.3,
    computeBytesPerSecond: 3e10,
    dispatchMs: 0.01,
  };
  const found = {
    budgets: { gpuBytes: 6e9, ramBytes: null },
    machine: { unifiedMemory: true, software: false, ...figures, ...rates },
  };
  keepFound(folder, found);
  expect(readFound(folder)).toEqual(found);
  for (const damage of [
    '',
    '{',
    '{"version":2}',
    JSON.stringify({ version: 1, ...found, machine: { ...found.machine, readbackMs: -1 } }),
  ]) {
    writeFileSync(path.join(folder, 'last-machine.json'), damage);
    expect(readFound(folder)).toBeNull();
  }
});

const uses = (counts: Float32Array[], tokens: number) => ({ counts, usesByDepth: counts[0], tokens });

test('profiles add up, belong to one model, and can be forgotten', () => {
  const store = new ProfileStore(folder);
  expect(store.read('sha256:1')).toBeNull();
  store.add('sha256:1', uses([Float32Array.of(3, 0), Float32Array.of(0, 2)], 2));
  store.add('sha256:1', uses([Float32Array.of(1, 0), Float32Array.of(0, 0)], 1));
  const profile = store.read('sha256:1')!;
  expect(profile.counts[0][0]).toBeCloseTo(4, 3);
  expect(profile.counts[1][1]).toBeCloseTo(2, 3);
  expect(store.read('sha256:2')).toBeNull();
  store.add('sha256:1', uses([Float32Array.of(1, 1, 1)], 1)); // another shape: the old counts mean nothing
  expect(store.read('sha256:1')).toMatchObject({ nExperts: 3 });
  store.forget('sha256:1');
  expect(store.read('sha256:1')).toBeNull();
  store.add('sha256:3', uses([Float32Array.of(1)], 1));
  store.forgetAll();
  expect(readdirSync(folder)).toEqual([]);
});

test('a profile whose file stands for another model is not read', () => {
  const store = new ProfileStore(folder);
  const profiles = path.join(folder, 'routing-profiles');
  store.add('sha256:1', uses([Float32Array.of(3, 0)], 2));
  const [first] = readdirSync(profiles);
  store.add('sha256:2', uses([Float32Array.of(0, 1)], 1));
  const [second] = readdirSync(profiles).filter((name) => name !== first);
  copyFileSync(path.join(profiles, first), path.join(profiles, second));
  expect(store.read('sha256:1')).not.toBeNull();
  expect(store.read('sha256:2')).toBeNull();
});

test('free RAM is what the system says is available, within all of it', () => {
  expect(availableIn('MemTotal:  100 kB\nMemFree: 5 kB\nMemAvailable:    42 kB\n')).toBe(42 * 1024);
  expect(availableIn('MemTotal: 100 kB\n')).toBeNull();
  const { freeBytes, totalBytes } = readRam();
  expect(freeBytes).toBeGreaterThan(0);
  expect(freeBytes).toBeLessThanOrEqual(totalBytes);
});

test('a group that limits memory is found, and the files that it merely caches are not taken for used', () => {
  const v1 =
    'tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n';
  const v2 = 'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n';
  const always = () => true;
  expect(memoryGroupFolder('9:name=systemd:/x\n4:memory:/a/b\n0::/\n', v1, always)).toEqual({
    folder: '/sys/fs/cgroup/memory/a/b',
    version: 1,
  });
  expect(memoryGroupFolder('0::/user.slice/app\n', v2, always)).toEqual({ folder: '/sys/fs/cgroup/user.slice/app', version: 2 });
  expect(memoryGroupFolder('0::/of-the-host\n', v2, () => false)).toEqual({ folder: '/sys/fs/cgroup', version: 2 });
  expect(memoryGroupFolder('0::/\n', 'tmpfs / tmpfs rw 0 0\n', always)).toBeNull();
  expect(fileCacheIn('active_file 1\ninactive_file 2\ntotal_active_file 10\ntotal_inactive_file 20\n')).toBe(30);
  expect(fileCacheIn('anon 7\ninactive_file 2\nactive_file 1\n')).toBe(3);
  expect(fileCacheIn('anon 7\n')).toBe(0);
});
