import { expect, test } from 'vitest';
import { tinyModel } from '../../tests/fixtures/tiny-model.ts';
import type { GpuDevice } from '../device/open-device.ts';
import { engineError } from '../errors.ts';
import { memorySource } from '../gguf/memory-source.ts';
import { LocalEngine, type LocalEngineDependencies, type LostEngine } from './local-engine.ts';
import type { Engine, EngineOptions } from './types.ts';

const MODEL = tinyModel({ architecture: 'llama', type: 'F32', seed: 3 });
const settled = () => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

function setUp(createEngine?: LocalEngineDependencies['createEngine']) {
  const events: string[] = [];
  let lose = (_: unknown): void => {};
  const deps: LocalEngineDependencies = {
    async openSource(path) {
      events.push(`open ${path}`);
      const bytes = path === 'noise.gguf' ? new Uint8Array(64).fill(7) : MODEL;
      return { ...memorySource(path, bytes), close: async () => void events.push(`close ${path}`) };
    },
    async openDevice() {
      events.push('device');
      const lost = new Promise((resolve) => (lose = resolve));
      return {
        capabilities: { description: 'pretend', software: true },
        lost,
        dispose: () => events.push('device gone'),
      } as unknown as GpuDevice;
    },
    createEngine:
      createEngine ??
      (async (_gpu, options: EngineOptions) => {
        events.push(`engine ${options.model.architecture} ${options.contextTokens}`);
        return {
          model: options.model,
          position: 0,
          contextTokens: options.contextTokens ?? 512,
          stop: async () => {},
          dispose: () => events.push('engine gone'),
        } as unknown as Engine;
      }),
  };
  const local = new LocalEngine(deps);
  const load = (path: string, signal = never) => local.load({ paths: [path], contextTokens: 64 }, () => {}, signal);
  return { local, load, events, lose: (error: unknown) => lose(error) };
}

test.each([undefined, 'f32'] as const)('keys and values as %s reach the engine', async (kvType) => {
  const types: EngineOptions['kvType'][] = [];
  const { local } = setUp((_gpu, options) => {
    types.push(options.kvType);
    return Promise.reject(engineError('engine.cancelled', 'enough'));
  });
  await expect(local.load({ paths: ['a.gguf'], contextTokens: 64, kvType }, () => {}, never)).rejects.toThrow('enough');
  expect(types).toEqual([kvType]);
});

test('loads a model and says on which adapter', async () => {
  const { load, events } = setUp();
  expect(await load('a.gguf')).toEqual({
    adapter: { description: 'pretend', software: true },
    contextTokens: 64,
    plan: null,
    measured: null,
  });
  expect(events).toEqual(['open a.gguf', 'device', 'engine llama 64']);
});

test('a second model takes the place of the first, whose files are closed', async () => {
  const { local, load, events } = setUp();
  await load('a.gguf');
  events.length = 0;
  await load('b.gguf');
  expect(events).toEqual(['engine gone', 'device gone', 'close a.gguf', 'open b.gguf', 'device', 'engine llama 64']);
  events.length = 0;
  await local.close();
  expect(events).toEqual(['engine gone', 'device gone', 'close b.gguf']);
});

test('a file that is no model is refused before a device is opened, and closed', async () => {
  const { load, events } = setUp();
  await expect(load('noise.gguf')).rejects.toMatchObject({ code: 'gguf.not-gguf' });
  expect(events).toEqual(['open noise.gguf', 'close noise.gguf']);
});

test('what was opened is given back when the engine cannot be made', async () => {
  const { load, events } = setUp(() => Promise.reject(engineError('engine.budget', 'too large')));
  await expect(load('a.gguf')).rejects.toMatchObject({ code: 'engine.budget' });
  expect(events).toEqual(['open a.gguf', 'device', 'device gone', 'close a.gguf']);
});

test('a cancelled load rejects and leaves nothing open', async () => {
  const { load, events } = setUp();
  const controller = new AbortController();
  controller.abort();
  await expect(load('a.gguf', controller.signal)).rejects.toMatchObject({ code: 'engine.cancelled' });
  expect(events.filter((event) => event.startsWith('open'))).toHaveLength(1);
  expect(events.at(-1)).toBe('close a.gguf');
});

test('a lost device is had again, with the model; the files stay open', async () => {
  const { local, load, lose, events } = setUp();
  const told: unknown[] = [];
  local.onLost((error) => told.push(error));
  local.onReset((reset) => told.push(reset));
  const loaded = await load('a.gguf');
  events.length = 0;
  lose(engineError('gpu.device-lost', 'gone', { reason: 'test' }));
  await settled();
  expect(told).toEqual([
    { state: 'begun', error: { code: 'gpu.device-lost', message: 'gone', details: { reason: 'test' } } },
    { state: 'done', loaded },
  ]);
  expect(events).toEqual(['engine gone', 'device gone', 'device', 'engine llama 64']);
  await local.close();
  expect(events.slice(4)).toEqual(['engine gone', 'device gone', 'close a.gguf']);
});

test('a device lost twice is told once, and generating then says that nothing is loaded', async () => {
  const { local, load, lose, events } = setUp();
  const lost: LostEngine[] = [];
  local.onLost((error) => lost.push(error));
  await load('a.gguf');
  for (const reason of ['first', 'second']) {
    lose(engineError('gpu.device-lost', 'gone', { reason }));
    await settled();
  }
  expect(lost).toEqual([{ code: 'gpu.device-lost', message: 'gone', details: { reason: 'second' } }]);
  expect(events.at(-1)).toBe('close a.gguf');
  const request = { promptIds: [1], maxTokens: 1, endIds: [], sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 } };
  await expect(local.generate(request, { onPrefill: () => {}, onTokens: () => {} }, never)).rejects.toMatchObject({
    code: 'gpu.device-lost',
  });
});

test('the end of a device that we gave back ourselves is no loss', async () => {
  const { local, load, lose } = setUp();
  const lost: LostEngine[] = [];
  local.onLost((error) => lost.push(error));
  await load('a.gguf');
  await local.unload();
  lose(engineError('gpu.device-lost', 'destroyed'));
  await settled();
  expect(lost).toEqual([]);
});
