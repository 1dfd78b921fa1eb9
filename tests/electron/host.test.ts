import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../main/hosts/electron/arguments.ts';
import {
  afterGpuDeaths,
  afterNoAdapter,
  readGpuState,
  switchesFor,
  writeGpuState,
  type GpuState,
} from '../../main/hosts/electron/gpu-mode.ts';
import { fileOf, isOurPage, serve } from '../../main/hosts/electron/scheme.ts';
import { LEAST_WIDTH, onAScreen, readWindowState, writeWindowState } from '../../main/hosts/electron/window-state.ts';

const usual: GpuState = { mode: 'hardware', reason: null };
const names = (mode: GpuState['mode'], platform: NodeJS.Platform, given: string[] = []) =>
  switchesFor(mode, platform, (name) => given.includes(name)).map(({ name }) => name);

function inFolder(work: (folder: string) => void): void {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave-'));
  try {
    work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the GPU mode', () => {
  it('adds nothing where WebGPU needs nothing', () => {
    expect(names('hardware', 'darwin')).toEqual([]);
    expect(names('hardware', 'win32')).toEqual([]);
    expect(names('plain', 'linux')).toEqual([]);
  });

  it('never touches the sandbox', () => {
    for (const mode of ['hardware', 'software', 'plain'] as const)
      for (const platform of ['linux', 'win32', 'darwin'] as const)
        expect(names(mode, platform).filter((name) => name.includes('sandbox'))).toEqual([]);
  });

  it('leaves switches alone that were given by hand', () => {
    expect(names('hardware', 'linux')).toContain('enable-unsafe-webgpu');
    expect(names('hardware', 'linux', ['use-webgpu-adapter'])).toEqual([]);
  });

  it('goes from hardware to software once, and no further', () => {
    const next = afterNoAdapter(usual);
    expect(next?.mode).toBe('software');
    expect(next && afterNoAdapter(next)).toBe(null);
  });

  it('goes one step lower after the second death of the GPU process, and says so', () => {
    expect(afterGpuDeaths(usual, 1)).toBe(null);
    expect(afterGpuDeaths(usual, 2)).toMatchObject({ mode: 'software', reason: expect.stringContaining('twice') });
    expect(afterGpuDeaths({ mode: 'software', reason: 'x' }, 2)).toMatchObject({ mode: 'plain' });
    expect(afterGpuDeaths({ mode: 'plain', reason: 'x' }, 5)).toBe(null);
  });

  it('outlives the process, and a damaged file is the usual mode', () => {
    inFolder((folder) => {
      expect(readGpuState(folder)).toEqual(usual);
      writeGpuState(folder, { mode: 'software', reason: 'because' });
      expect(readGpuState(folder)).toEqual({ mode: 'software', reason: 'because' });
      writeFileSync(path.join(folder, 'gpu.json'), '{"mode":"fast"}');
      expect(readGpuState(folder)).toEqual(usual);
    });
  });
});

describe('the app scheme', () => {
  const folder = path.resolve('out', 'renderer');

  it('names files of its folder only', () => {
    expect(fileOf('/', folder)).toBe(path.join(folder, 'index.html'));
    expect(fileOf('/assets/a%20b.js', folder)).toBe(path.join(folder, 'assets', 'a b.js'));
    for (const bad of ['/../main/main.cjs', '/%2e%2e/main.cjs', '/..%2fmain.cjs', '/a\\..\\..\\b', '/%00', '/%zz'])
      expect(fileOf(bad, folder), bad).toBe(null);
  });

  it('gives the engine page a policy under which nothing loads', async () => {
    const response = await serve({ url: 'app://engine/', method: 'GET' }, folder);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
    expect((await response.text()).length).toBeGreaterThan(0);
    expect((await serve({ url: 'app://engine/x', method: 'GET' }, folder)).status).toBe(404);
  });

  it('allows the chat page no inline script and no eval', async () => {
    const policy = (await serve({ url: 'app://chat/', method: 'GET' }, folder)).headers.get('content-security-policy');
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/unsafe-|http|data:|blob:|\*/);
  });

  it('refuses other methods and hosts', async () => {
    expect((await serve({ url: 'app://chat/', method: 'POST' }, folder)).status).toBe(405);
    expect((await serve({ url: 'app://other/', method: 'GET' }, folder)).status).toBe(404);
  });

  it('knows its own pages', () => {
    expect(isOurPage('app://chat/', 'chat')).toBe(true);
    expect(isOurPage('app://engine/', 'chat')).toBe(false);
    for (const other of [
      'https://chat/',
      'app://evil/',
      'app://constructor/',
      'app://chat.evil/',
      'file:///app://chat/',
      '',
      'about:blank',
    ])
      expect(isOurPage(other), other).toBe(false);
  });
});

describe('the window', () => {
  const screens = [{ x: 0, y: 0, width: 1920, height: 1080 }];

  it('comes back where it was', () => {
    inFolder((folder) => {
      const state = { x: 10, y: 20, width: 900, height: 700, maximised: true };
      writeWindowState(folder, state);
      expect(readWindowState(folder, screens)).toEqual(state);
    });
  });

  it('comes back to a screen that is there, no larger than it, no smaller than usable', () => {
    expect(onAScreen({ x: 5000, y: 20, width: 900, height: 700 }, screens)).toEqual({
      width: 900,
      height: 700,
      maximised: false,
    });
    expect(onAScreen({ x: 0, y: -500, width: 900, height: 700 }, screens)).not.toHaveProperty('y');
    expect(onAScreen({ width: 9000, height: 1 }, screens)).toMatchObject({ width: 1920, height: 400 });
    expect(onAScreen({ width: Number.NaN, height: 'tall' as never }, []).width).toBe(LEAST_WIDTH);
  });
});

describe('the arguments', () => {
  it('finds the data folder and model files among the switches of Chromium', () => {
    const cwd = path.resolve('work');
    expect(parseArguments(['--no-sandbox', '--data', 'd ü', 'a.GGUF', '--x=b.gguf', 'other.txt'], cwd)).toEqual({
      dataFolder: path.join(cwd, 'd ü'),
      modelFiles: [path.join(cwd, 'a.GGUF')],
    });
    expect(parseArguments(['--data=/tmp/x'], cwd).dataFolder).toBe(path.resolve('/tmp/x'));
    expect(parseArguments([], cwd)).toEqual({ dataFolder: null, modelFiles: [] });
  });
});
