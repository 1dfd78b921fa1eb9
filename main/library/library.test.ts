import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../tests/fixtures-services/temporary-folder.ts';
import { openBetterSqlite3 } from '../database/better-sqlite3.ts';
import { FAKE_FACTS } from '../../tests/fixtures-services/fake-models.ts';
import type { FakeScenario } from '../../tests/fixtures-services/fake-engine.ts';
import { testServices, type TestServices } from '../../tests/fixtures-services/test-services.ts';

let folder: ReturnType<typeof temporaryFolder>;
let open: TestServices[] = [];
beforeEach(() => void (folder = temporaryFolder()));
afterEach(async () => {
  await closeAll();
  folder.remove();
});

async function closeAll() {
  for (const { services, clock } of open) await Promise.all([services.close(), clock.advance(10_000)]);
  open = [];
}

function setUp(scenario: FakeScenario = 'plain', builtInModelsFolder: string | null = null): TestServices {
  const test = testServices(folder.path, scenario, { builtInModelsFolder });
  open.push(test);
  return test;
}

function file(name: string, content = 'GGUF fake'): string {
  const place = path.join(folder.path, name);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, content);
  return place;
}

const statuses = (t: TestServices) =>
  t.events.flatMap((event) =>
    event.name === 'engine.status' ? [event.payload.state === 'loading' ? event.payload.phase : event.payload.state] : [],
  );
const isIn = (t: TestServices, state: string) => () => statuses(t).at(-1) === state;

test('import: by reference, announced, the same file keeps its id', async () => {
  const t = setUp();
  const place = file('Möd els/näme.gguf');
  const entry = await t.request('library.import', { path: place });
  expect(entry).toMatchObject({ name: 'näme', path: place, sizeBytes: 9, status: 'usable', facts: FAKE_FACTS, builtIn: false });
  expect(await t.request('library.import', { path: place })).toEqual(entry);
  expect(await t.request('library.list', {})).toEqual([entry]);
  expect(t.events.filter((event) => event.name === 'library.changed')).toHaveLength(2);
});

test('a model that an older version took in is read again when it is chosen', async () => {
  const first = setUp();
  const { id } = await first.request('library.import', { path: file('a.gguf') });
  await closeAll();
  const raw = openBetterSqlite3(path.join(folder.path, 'history.sqlite'));
  raw.prepare(`UPDATE models SET facts_json = json_remove(facts_json, '$.sampling')`).run();
  raw.close();
  const t = setUp();
  expect((await t.request('library.list', {}))[0].facts).toEqual({ ...FAKE_FACTS, sampling: null });
  await t.request('library.select', { modelId: id });
  expect((await t.request('library.list', {}))[0].facts).toEqual(FAKE_FACTS);
});

test('import refuses what it cannot use and says why; nothing enters the list', async () => {
  const t = setUp();
  const attempt = (filePath: string) => t.request('library.import', { path: filePath });
  await expect(attempt(file('a.gguf', 'PNG'))).rejects.toMatchObject({ code: 'gguf.not-gguf' });
  await expect(attempt(path.join(folder.path, 'none.gguf'))).rejects.toMatchObject({ code: 'file.read' });
  await expect(attempt('relative.gguf')).rejects.toMatchObject({ code: 'request.invalid' });
  expect(await t.request('library.list', {})).toEqual([]);
});

test('a copy that the app made goes when it is unusable or removed; a file of the user stays', async () => {
  const t = setUp();
  const bad = file('models/bad.gguf', 'PNG');
  await expect(t.request('library.import', { path: bad })).rejects.toMatchObject({ code: 'gguf.not-gguf' });
  expect(existsSync(bad)).toBe(false);
  const own = await t.request('library.import', { path: file('models/own.gguf') });
  const users = await t.request('library.import', { path: file('users.gguf') });
  await t.request('library.remove', { modelId: own.id });
  await t.request('library.remove', { modelId: users.id });
  expect([existsSync(own.path), existsSync(users.path)]).toEqual([false, true]);
  await expect(t.request('library.remove', { modelId: own.id })).rejects.toMatchObject({ code: 'model.missing' });
});

test('select loads with progress; a file that is gone is missing and cannot be selected; brought back it can', async () => {
  const t = setUp();
  const { id, path: place } = await t.request('library.import', { path: file('m.gguf') });
  renameSync(place, place + '.away');
  expect((await t.request('library.list', {}))[0].status).toBe('missing');
  await expect(t.request('library.select', { modelId: id })).rejects.toMatchObject({
    code: 'model.missing',
    details: { path: place },
  });
  renameSync(place + '.away', place);
  await t.request('library.select', { modelId: id });
  await t.until(isIn(t, 'ready'));
  expect(statuses(t)).toEqual(['file', 'device', 'device', 'pipelines', 'pipelines', 'weights', 'weights', 'ready']);
  expect((await t.request('app.state', {})).settings.selectedModelId).toBe(id);
});

test('a file that changed is shown so, and inspected again when selected', async () => {
  const t = setUp();
  const { id, path: place } = await t.request('library.import', { path: file('m.gguf') });
  writeFileSync(place, 'GGUF and more');
  expect((await t.request('library.list', {}))[0].status).toBe('missing');
  await t.request('library.select', { modelId: id });
  expect((await t.request('library.list', {}))[0]).toMatchObject({ id, status: 'usable', sizeBytes: 13 });
  writeFileSync(place, 'ruined');
  await expect(t.request('library.select', { modelId: id })).rejects.toMatchObject({ code: 'gguf.not-gguf' });
});

test('the type of keys and values is a setting that is kept; another one loads the model again', async () => {
  const t = setUp();
  const { id } = await t.request('library.import', { path: file('a.gguf') });
  await t.request('library.select', { modelId: id });
  await t.until(isIn(t, 'ready'));
  await t.request('settings.update', { kvType: 'q8_0' });
  await t.until(() => t.engine.loads.length === 2);
  await t.until(isIn(t, 'ready'));
  await t.request('settings.update', { kvType: 'q8_0' });
  await t.clock.advance(1000);
  expect(t.engine.loads.map(({ kvType }) => kvType)).toEqual(['f16', 'q8_0']);
  await closeAll();
  expect((await setUp().request('app.state', {})).settings.kvType).toBe('q8_0');
});

test('8-bit keys and values where the model’s heads have no whole blocks: 16-bit, and said', async () => {
  const t = setUp();
  t.files.headWidth = 80;
  await t.request('settings.update', { kvType: 'q8_0' });
  const { id } = await t.request('library.import', { path: file('a.gguf') });
  await t.request('library.select', { modelId: id });
  await t.until(isIn(t, 'ready'));
  expect(t.engine.loads.map(({ kvType }) => kvType)).toEqual(['f16']);
  const notice =
    "Keys and values of 8 bits need heads of a multiple of 32 numbers; this model's have 80, so it keeps them in 16 bits.";
  expect((await t.request('app.state', {})).engine).toMatchObject({ notice });
});

test('choosing another model while one loads: only the newest wish counts', async () => {
  const t = setUp();
  const a = await t.request('library.import', { path: file('a.gguf') });
  const b = await t.request('library.import', { path: file('b.gguf') });
  await t.request('library.select', { modelId: a.id });
  await t.until(isIn(t, 'device'));
  await t.request('library.select', { modelId: b.id });
  await t.until(isIn(t, 'ready'));
  expect((await t.request('app.state', {})).engine).toMatchObject({ state: 'ready', modelId: b.id });
  expect(t.engine.calls).toEqual([`load ${a.id}`, `load ${b.id}`]);
  await t.request('library.select', { modelId: b.id });
  await t.clock.advance(1000);
  expect(t.engine.calls).toHaveLength(2);
});

test('experts used: a change loads again; a number that the model does not have is said and left out', async () => {
  const t = setUp();
  const { id } = await t.request('library.import', { path: file('a.gguf') }); // FAKE_FACTS: 4 experts, 2 used
  await t.request('library.select', { modelId: id });
  const notices: unknown[] = [];
  for (const [i, expertsUsed] of [4, 5, null].entries()) {
    await t.until(() => t.engine.loads.length === i + 1 && isIn(t, 'ready')());
    await t.request('settings.update', { expertsUsed });
    await t.until(() => t.engine.loads.length === i + 2 && isIn(t, 'ready')());
    const { engine } = await t.request('app.state', {});
    notices.push(engine.state === 'ready' && engine.notice);
  }
  expect(t.engine.loads.map(({ expertsUsed }) => expertsUsed)).toEqual([null, 4, null, null]);
  const notice = '5 experts per token are set, but this model has 4 in a layer, so it uses its own number, 2.';
  expect(notices).toEqual([null, notice, null]);
});

test('a failed load says why; choosing again tries again; removing the chosen model unloads it', async () => {
  const t = setUp('out-of-memory');
  const { id } = await t.request('library.import', { path: file('a.gguf') });
  await t.request('library.select', { modelId: id });
  await t.until(isIn(t, 'failed'));
  expect((await t.request('app.state', {})).engine).toMatchObject({
    state: 'failed',
    modelId: id,
    error: { code: 'gpu.out-of-memory' },
  });
  await t.request('library.select', { modelId: id });
  await t.until(() => t.engine.calls.length === 2);
  const removed = t.request('library.remove', { modelId: id });
  await t.until(() => t.engine.calls.includes('unload'));
  await removed;
  const state = await t.request('app.state', {});
  expect([state.engine.state, state.settings.selectedModelId, state.models]).toEqual(['idle', null, []]);
});

test('built-in models are there at the start, chosen when nothing is, and leave with their file', async () => {
  const builtIn = path.join(folder.path, 'resources');
  file('resources/starter.gguf');
  file('resources/broken.gguf', 'PNG');
  file('resources/split-00001-of-00002.gguf');
  file('resources/split-00002-of-00002.gguf');
  file('resources/README.md');
  const t = setUp('plain', builtIn);
  await t.services.start();
  await t.until(isIn(t, 'ready'));
  const models = await t.request('library.list', {});
  expect(models.map(({ name, status, builtIn: flag }) => [name, status, flag]).sort()).toEqual([
    ['broken.gguf', 'unusable', true],
    ['split-00001-of-00002', 'usable', true],
    ['starter', 'usable', true],
  ]);
  const starter = models.find((model) => model.name === 'starter')!;
  await expect(t.request('library.remove', { modelId: starter.id })).rejects.toMatchObject({ code: 'request.refused' });
  await closeAll();
  rmSync(path.join(builtIn, 'broken.gguf'));
  const again = setUp('plain', builtIn);
  await again.services.start();
  expect((await again.request('library.list', {})).map((model) => model.id).sort()).toEqual(
    models
      .filter((model) => model.status === 'usable')
      .map((model) => model.id)
      .sort(),
  );
  expect(again.files.nInspections).toBeLessThanOrEqual(1); // opened once to load, not inspected again
});

test('the chosen model is loaded at the start; when its file is gone that is said', async () => {
  const t = setUp();
  const { id, path: place } = await t.request('library.import', { path: file('m.gguf') });
  await t.request('library.select', { modelId: id });
  await closeAll();
  const second = setUp();
  await second.services.start();
  await second.until(isIn(second, 'ready'));
  await closeAll();
  rmSync(place);
  const third = setUp();
  await third.services.start();
  expect((await third.request('app.state', {})).engine).toMatchObject({
    state: 'failed',
    modelId: id,
    error: { code: 'model.missing' },
  });
});

test('a lost device is loaded again; when it is lost each time, that ends after three restarts', async () => {
  const once = setUp('device-lost');
  await once.withModel();
  await once.until(isIn(once, 'ready'));
  await once.ask('Q');
  await once.until(() => once.engine.calls.filter((call) => call.startsWith('load')).length === 2);
  await once.until(isIn(once, 'ready'));
  await closeAll();
  const always = setUp('always-lost');
  await always.services.start();
  for (let question = 1; question <= 4; question++) {
    await always.until(isIn(always, 'ready'));
    await always.ask(`Q${question}`);
    await always.until(() => always.engine.prompts.length === question && statuses(always).at(-1) !== 'ready');
  }
  await always.until(isIn(always, 'failed'));
  expect(always.engine.calls.filter((call) => call.startsWith('load'))).toHaveLength(4);
});

test('another context length loads the model again', async () => {
  const t = setUp();
  await t.withModel();
  await t.until(isIn(t, 'ready'));
  await t.request('settings.update', { contextTokens: 100 });
  await t.until(() => t.engine.calls.length === 2);
  await t.until(isIn(t, 'ready'));
  expect((await t.request('app.state', {})).engine).toMatchObject({ contextTokens: 100 });
  await t.request('settings.update', { theme: 'dark' });
  await t.clock.advance(1000);
  expect(t.engine.calls).toHaveLength(2);
});
