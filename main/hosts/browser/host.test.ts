import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../tests/fixtures-services/temporary-folder.ts';
import { FakeEngine } from '../../../tests/fixtures-services/fake-engine.ts';
import { FakeModelFiles } from '../../../tests/fixtures-services/fake-models.ts';
import { ManualClock } from '../../../tests/fixtures-services/manual-clock.ts';
import { waitFor } from '../../../tests/fixtures-services/wait-for.ts';
import { runBrowserHost, type BrowserHostOptions, type RunningBrowserHost } from './host.ts';

let folder: ReturnType<typeof temporaryFolder>;
let hosts: RunningBrowserHost[] = [];
let engine: FakeEngine;
let clock: ManualClock;
let said: string[] = [];

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(path.join(folder.path, 'page'));
  writeFileSync(path.join(folder.path, 'page', 'index.html'), 'page');
  clock = new ManualClock();
  engine = new FakeEngine(clock);
  said = [];
});
afterEach(async () => {
  for (const host of hosts) await Promise.all([host.close(), clock.advance(1000)]);
  hosts = [];
  folder.remove();
});

async function run(given: Partial<BrowserHostOptions> = {}): Promise<RunningBrowserHost> {
  const host = await runBrowserHost({
    engine,
    files: new FakeModelFiles(),
    dataFolder: path.join(folder.path, 'data'),
    pageFolder: path.join(folder.path, 'page'),
    builtInModelsFolder: null,
    version: '1.2.3',
    fallbackReason: null,
    open: false,
    models: [],
    say: (line) => said.push(line),
    ...given,
  });
  hosts.push(host);
  return host;
}

const links = () => said.filter((line) => line.startsWith('Conclave: http'));

test('the printed link opens the page; Enter gives another', async () => {
  const input = new PassThrough();
  const host = await run({ input });
  const { status, headers } = await fetch(links()[0].slice('Conclave: '.length), { redirect: 'manual' });
  expect([status, headers.get('location')]).toEqual([303, '/']);
  input.write('\n');
  await waitFor(() => links().length === 2, 'a second link');
  expect(links()[1]).not.toBe(links()[0]);
  expect(links()[1]).toContain(host.origin);
});

test('a model given on the command line is taken in and loaded; a bad one is said', async () => {
  const place = path.join(folder.path, 'm.gguf');
  writeFileSync(place, 'GGUF');
  await run({ models: [place] });
  await waitFor(() => engine.calls.length > 0, 'loading', clock);
  expect(engine.calls[0]).toMatch(/^load /);
  await Promise.all([hosts[0].close(), clock.advance(1000)]);
  await run({ models: [path.join(folder.path, 'none.gguf')] });
  await waitFor(() => said.some((line) => line.includes('none.gguf')), 'the refusal', clock);
  expect(said.at(-1)).toContain('none.gguf');
});

test('a second host on the same folder says who holds it; after closing (twice) it is free', async () => {
  const first = await run();
  await expect(run()).rejects.toMatchObject({ code: 'data.locked', details: { pid: process.pid } });
  await Promise.all([first.close(), first.close()]);
  await run();
});

test('a host whose page is not built frees its folder', async () => {
  await expect(run({ pageFolder: path.join(folder.path, 'data') })).rejects.toThrow('npm run build');
  await run();
});
