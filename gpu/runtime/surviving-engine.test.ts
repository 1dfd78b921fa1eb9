/** Losses at chosen moments over an engine without a GPU: what is told, what is given back, what ends as what. */
import { expect, test } from 'vitest';
import { CountingEngine } from '../../tests/fixtures/counting-engine.ts';
import type { GpuDevice } from '../device/open-device.ts';
import { engineError, type ConclaveError } from '../errors.ts';
import { SurvivingEngine, type MadeEngine } from './surviving-engine.ts';

const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };
const PROMPT = [1, 2, 3];
const ANSWER = [103, 104, 105, 106, 107, 108];
const gone = (reason = 'test', outOfMemory = false) => engineError('gpu.device-lost', 'gone', { reason, outOfMemory });

/** `devices`: descriptions that the first, second … call finds; null: none. */
function setUp(devices: (string | null)[] = []) {
  const events: string[] = [];
  const engines: CountingEngine[] = [];
  let lose = (_: ConclaveError): void => {};
  const device = (description: string): GpuDevice => {
    const lost = new Promise<ConclaveError>((resolve) => (lose = resolve));
    return {
      capabilities: { description },
      lost,
      orLost: <T>(work: Promise<T>) =>
        Promise.race([
          work.catch((error: unknown) => settled().then(() => Promise.reject(error))),
          lost.then((error) => Promise.reject(error)),
        ]),
      dispose: () => events.push('device given back'),
    } as unknown as GpuDevice;
  };
  const make = (): MadeEngine => {
    const engine = new CountingEngine();
    engine.onStep = async (step) => onStep(engines.length, step);
    engines.push(engine);
    return {
      engine: engine.asEngine(),
      plan: null,
      again: async (_, failedForMemory, { signal }) => {
        events.push(failedForMemory ? 'made smaller' : 'made again');
        await onMake();
        signal?.throwIfAborted();
        return make();
      },
    };
  };
  let onStep = async (_engine: number, _step: number): Promise<void> => {};
  let onMake = async (): Promise<void> => {};
  const survivor: SurvivingEngine = new SurvivingEngine(device('card'), make(), {
    async openDevice() {
      const found = devices.length > 0 ? devices.shift()! : 'card';
      if (found === null) throw engineError('gpu.no-adapter', 'none');
      return device(found);
    },
    onReset: ({ details }) => events.push(`reset ${String(details.reason)}`),
    onRestored: () => events.push('restored'),
    onLost: ({ code }) => events.push(`lost ${code}`),
    pause: async (delayMs) => void events.push(`${delayMs} ms`),
  });
  const ids: number[] = [];
  const ask = (signal?: AbortSignal) =>
    survivor.generate(
      { promptIds: PROMPT, maxTokens: 6, endIds: [], sampling: GREEDY, signal },
      { onPrefill: () => {}, onTokens: (more) => ids.push(...more) },
    );
  return {
    survivor,
    events,
    engines,
    ids,
    ask,
    lose: (error: ConclaveError) => lose(error),
    at: (then: typeof onStep) => (onStep = then),
    whileMade: (then: typeof onMake) => (onMake = then),
  };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** As work on a device does that is lost: it is told, and the work fails. */
function failing(t: ReturnType<typeof setUp>, error: ConclaveError): never {
  t.lose(error);
  throw new Error('mapAsync failed');
}

test('lost in the middle of an answer: it goes on with the same ids', async () => {
  const t = setUp();
  t.at(async (engine, step) => void (engine === 1 && step === 3 && failing(t, gone())));
  expect(await t.ask()).toMatchObject({ reason: 'max-tokens', answerTokens: 6 });
  expect(t.ids).toEqual(ANSWER);
  expect(t.events).toEqual(['reset test', 'device given back', 'made again', 'restored']);
  expect(t.engines[1].cache.map(({ by }) => by[0]).join('')).toBe('ppdddddd');
});

test('memory is what failed, by the loss or by a refusal: a smaller plan', async () => {
  for (const error of [gone('test', true), engineError('gpu.out-of-memory', 'full', { reason: 'test' })]) {
    const t = setUp();
    t.at(async (engine, step) => void (engine === 1 && step === 3 && failing(t, error)));
    await t.ask();
    expect(t.ids).toEqual(ANSWER);
    expect(t.events).toEqual(['reset test', 'device given back', 'made smaller', 'restored']);
  }
});

test('lost twice in one answer: the loss is its error, what was said stays said', async () => {
  const t = setUp();
  t.at(async (engine, step) => void (step === 3 - engine && failing(t, gone(`${engine}`))));
  await expect(t.ask()).rejects.toMatchObject({ code: 'gpu.device-lost', details: { reason: '2' } });
  expect(t.ids).toEqual(ANSWER.slice(0, 3));
  expect(t.events.slice(-2)).toEqual(['device given back', 'lost gpu.device-lost']);
  await expect(t.ask()).rejects.toMatchObject({ code: 'gpu.device-lost' });
});

test('once in each of two answers is not twice in one', async () => {
  const t = setUp();
  let lost = 0;
  t.at(async (engine, step) => void (step === 3 && engine === 1 + lost && ++lost <= 2 && failing(t, gone())));
  await t.ask();
  await t.ask();
  expect(t.ids).toEqual([...ANSWER, ...ANSWER]);
  expect(t.engines).toHaveLength(3);
});

test('the device takes a while to come back; another one is not taken', async () => {
  const t = setUp([null, 'processor', 'card']);
  t.at(async (engine, step) => void (engine === 1 && step === 1 && failing(t, gone())));
  await t.ask();
  expect(t.ids).toEqual(ANSWER);
  const tried = ['reset test', 'device given back', '250 ms', 'device given back', '1000 ms', 'made again', 'restored'];
  expect(t.events).toEqual(tried);
});

test('a device that does not come back: a typed error that says what was found', async () => {
  const t = setUp([null, null, null, 'processor']);
  t.at(async (engine, step) => void (engine === 1 && step === 1 && failing(t, gone())));
  const error: unknown = await t.ask().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'gpu.device-lost', details: { description: 'card', found: 'found: processor' } });
  expect(t.ids).toEqual(ANSWER.slice(0, 1));
  expect(t.events.at(-1)).toBe('lost gpu.device-lost');
});

test('the model cannot be loaded again: that is the error', async () => {
  const t = setUp();
  t.whileMade(() => Promise.reject(engineError('file.changed', 'another file')));
  t.at(async (engine, step) => void (engine === 1 && step === 1 && failing(t, gone())));
  await expect(t.ask()).rejects.toMatchObject({ code: 'file.changed' });
  expect(t.events).toEqual(['reset test', 'device given back', 'made again', 'device given back', 'lost file.changed']);
});

test('what has nothing to do with the device is the answer’s own error', async () => {
  const t = setUp();
  t.at(async (_, step) => {
    if (step === 2) throw engineError('file.read', 'unplugged');
  });
  await expect(t.ask()).rejects.toMatchObject({ code: 'file.read' });
  t.at(async () => {});
  await t.ask();
  expect(t.events).toEqual([]);
});

test('lost between answers: had again at once; lost again: given up', async () => {
  const t = setUp();
  await t.ask();
  t.lose(gone('first'));
  await settled();
  expect(t.events).toEqual(['reset first', 'device given back', 'made again', 'restored']);
  await t.ask();
  expect(t.ids).toEqual([...ANSWER, ...ANSWER]);
  t.lose(gone('second'));
  await settled();
  t.lose(gone('third'));
  await settled();
  expect(t.events.slice(-2)).toEqual(['device given back', 'lost gpu.device-lost']);
});

test('stopped while the model is loaded again: cancelled at once, the next answer waits for it', async () => {
  const t = setUp();
  const controller = new AbortController();
  let made = (): void => {};
  t.whileMade(() => new Promise<void>((resolve) => (made = resolve)));
  t.at(async (engine, step) => {
    if (engine === 1 && step === 2) failing(t, gone());
  });
  const stopped = t.ask(controller.signal);
  while (!t.events.includes('made again')) await settled();
  controller.abort();
  expect(await stopped).toMatchObject({ reason: 'cancelled', answerTokens: 2 });
  const next = t.ask();
  made();
  expect(await next).toMatchObject({ reason: 'max-tokens', answerTokens: 6 });
  expect(t.ids).toEqual([...ANSWER.slice(0, 2), ...ANSWER]);
});

test('unloaded while it is loaded again: nothing is left, nothing is told', async () => {
  const t = setUp();
  let made = (): void => {};
  t.whileMade(() => new Promise<void>((resolve) => (made = resolve)));
  t.lose(gone());
  while (!t.events.includes('made again')) await settled();
  const ended = t.survivor.end();
  made();
  await ended;
  expect(t.events).toEqual(['reset test', 'device given back', 'made again', 'device given back']);
  await expect(t.ask()).rejects.toMatchObject({ code: 'engine.cancelled' });
});
