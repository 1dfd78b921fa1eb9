import { beforeEach, expect, it } from 'vitest';
import { App } from './app.ts';
import { ManualClock } from './clock.ts';
import { FakeClient } from './fake-client.ts';
import { Notices } from './notices.ts';
import type { ScenarioName } from './fake-scenarios.ts';

let clock: ManualClock;
let client: FakeClient;
let app: App;

async function start(name: ScenarioName): Promise<void> {
  clock = new ManualClock(1_700_000_000_000);
  client = new FakeClient(clock, name);
  app = new App(client, new Notices(clock));
  void app.start();
  await clock.advance(5);
}

beforeEach(() => start('plain'));

it('knows host, settings, models and engine after the start', () => {
  expect(app.value).toMatchObject({ phase: 'ready', engine: { state: 'ready' } });
  expect(app.selectedModel?.id).toBe('qwen');
});

it('says why the start failed', async () => {
  client.request = () => Promise.reject(new Error('no host'));
  app = new App(client, new Notices(clock));
  await app.start();
  expect(app.value).toMatchObject({ phase: 'failed', error: { code: 'internal', message: 'no host' } });
});

it('chooses a model that was just brought in and follows its loading', async () => {
  void app.importPath('/models/a.gguf');
  expect(app.value.importing).toEqual({ name: 'a.gguf', progress: null });
  await clock.advance(100);
  expect(app.value).toMatchObject({ importing: null, engine: { state: 'loading' } });
  expect(app.selectedModel?.name).toBe('a');
  await clock.advance(2000);
  expect(app.value.engine.state).toBe('ready');
});

it('shows why an import failed', async () => {
  void app.importPath('/models/broken.gguf');
  await clock.advance(10);
  expect(app.value.importError?.code).toBe('gguf.not-gguf');
});

it('refuses dropped files that are no models, by name', async () => {
  await app.dropFiles([new File(['x'], 'holiday.jpg')]);
  expect(app.value.importError?.message).toContain('holiday.jpg');
  expect(client.log.filter(({ channel }) => channel === 'library.import')).toHaveLength(0);
});

it('uploads every part of a split model, with progress, and imports the first', async () => {
  await start('empty');
  const seen: number[] = [];
  app.subscribe(() => {
    const progress = app.value.importing?.progress;
    if (progress) seen.push(progress.done / progress.total);
  });
  void app.dropFiles([1, 2, 3].map((part) => new File(['12345'], `big-0000${part}-of-00003.gguf`)));
  await clock.advance(5000);
  const imports = client.log.filter(({ channel }) => channel === 'library.import').map(({ request }) => request);
  expect(imports).toEqual([{ path: '/dropped/big-00001-of-00003.gguf' }]);
  expect(seen).toContain(0.5);
  expect(seen.at(-1)).toBe(1);
});

it('shows a setting at once and takes it back when it is refused', async () => {
  const change = app.updateSettings({ temperature: 1.5 });
  expect(app.value.settings?.temperature).toBe(1.5);
  await clock.advance(5);
  expect(await change).toBeNull();
  client.request = () => Promise.reject(new Error('out of range'));
  expect((await app.updateSettings({ temperature: 9 }))?.message).toBe('out of range');
  expect(app.value.settings?.temperature).toBe(1.5);
});
