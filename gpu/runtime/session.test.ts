import { describe, expect, test } from 'vitest';
import { CountingEngine } from '../../tests/fixtures/counting-engine.ts';
import { engineError } from '../errors.ts';
import { EngineSession } from './session.ts';

const SAMPLING = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };

function setUp() {
  const engine = new CountingEngine();
  let now = 0;
  const session = new EngineSession(engine.asEngine(), () => (now += 5));
  const batches: number[][] = [];
  const progress: [number, number][] = [];
  let resumed = 0;
  const generate = (promptIds: number[], more: Partial<Parameters<EngineSession['generate']>[0]> = {}) =>
    session.generate(
      { promptIds, maxTokens: 4, endIds: [], sampling: SAMPLING, ...more },
      {
        onPrefill: (done, total) => progress.push([done, total]),
        onTokens: (ids) => batches.push([...ids]),
        onResume: () => resumed++,
      },
    );
  return { engine, session, generate, batches, progress, resumed: () => resumed };
}

test('a first prompt is read whole, the answer comes in order and in batches', async () => {
  const { engine, generate, batches, progress } = setUp();
  const result = await generate([1, 2, 3]);
  expect(result).toMatchObject({ reason: 'max-tokens', promptTokens: 3, keptTokens: 0, answerTokens: 4, contextUsedTokens: 6 });
  expect(engine.fed).toEqual([[1, 2, 3]]);
  expect(batches.flat()).toEqual([103, 104, 105, 106]);
  expect(batches.length).toBeLessThan(4);
  expect(progress).toEqual([
    [0, 3],
    [3, 3],
  ]);
});

test('the next prompt keeps the common prefix, answer included, and feeds the rest', async () => {
  const { engine, generate } = setUp();
  await generate([1, 2, 3]);
  const result = await generate([1, 2, 3, 103, 104, 105, 7, 8]);
  expect(result.keptTokens).toBe(6);
  expect(engine.fed[1]).toEqual([7, 8]);
});

test('the last sampled token is not in the cache, so it is fed', async () => {
  const { engine, generate } = setUp();
  await generate([1, 2, 3]);
  expect((await generate([1, 2, 3, 103, 104, 105, 106, 9])).keptTokens).toBe(6);
  expect(engine.fed[1]).toEqual([106, 9]);
});

test('a prompt that differs early keeps little; the same prompt again feeds its last token', async () => {
  const { engine, generate } = setUp();
  await generate([1, 2, 3, 4]);
  expect((await generate([1, 9, 3, 4])).keptTokens).toBe(1);
  expect((await generate([1, 9, 3, 4])).keptTokens).toBe(3);
  expect(engine.fed.slice(1)).toEqual([[9, 3, 4], [4]]);
});

test('an end token ends it and is reported', async () => {
  const { generate, batches } = setUp();
  expect(await generate([1], { endIds: [102] })).toMatchObject({ reason: 'end-token', answerTokens: 2 });
  expect(batches.flat()).toEqual([101, 102]);
});

test('aborting before, in and after prefill is cancelled, and the cache stays usable', async () => {
  const { engine, generate, batches } = setUp();
  const early = new AbortController();
  early.abort();
  expect(await generate([1, 2], { signal: early.signal })).toMatchObject({ reason: 'cancelled', answerTokens: 0 });
  expect(engine.fed).toEqual([]);
  const late = new AbortController();
  engine.onStep = (step) => {
    if (step === 2) late.abort();
  };
  expect(await generate([1, 2], { signal: late.signal })).toMatchObject({ reason: 'cancelled', answerTokens: 2 });
  expect(batches.flat()).toEqual([102, 103]);
  engine.onStep = () => {};
  expect((await generate([1, 2, 102, 5])).keptTokens).toBe(3);
});

test('errors of the engine pass; the next prompt keeps what was read', async () => {
  const { engine, generate } = setUp();
  engine.onStep = () => {
    throw engineError('gpu.out-of-memory', 'full');
  };
  await expect(generate([1, 2, 3])).rejects.toMatchObject({ code: 'gpu.out-of-memory' });
  engine.onStep = () => {};
  expect((await generate([1, 2, 3])).keptTokens).toBe(2);
});

describe('on another engine', () => {
  const lose = () => {
    throw engineError('gpu.device-lost', 'gone');
  };
  /** Two answers, the second one lost after two tokens. */
  const lost = async () => {
    const t = setUp();
    await t.generate([1, 2, 3]);
    t.engine.onStep = (step) => step === 2 && lose();
    await expect(t.generate([1, 2, 3, 103, 104, 105, 106, 9])).rejects.toMatchObject({ code: 'gpu.device-lost' });
    const next = new CountingEngine();
    t.session.moveTo(next.asEngine());
    return { ...t, next, before: t.engine };
  };

  test('every position is made again by what made it, and the answer goes on', async () => {
    const { session, batches, progress, next, before, resumed } = await lost();
    const whole = [103, 104, 105, 106, 108, 109];
    expect(batches.flat()).toEqual(whole);
    const told = progress.length;
    const result = await session.resume();
    expect(result).toMatchObject({
      reason: 'max-tokens',
      answerTokens: 4,
      promptTokens: 8,
      keptTokens: 6,
      contextUsedTokens: 11,
    });
    expect(batches.flat()).toEqual([...whole, 110, 111]);
    expect(next.cache.slice(0, before.cache.length)).toEqual(before.cache);
    expect(next.cache.map(({ by }) => by[0]).join('')).toBe('ppddddpdddd'); // the last of a prompt is fed by the first step
    expect([progress.length, resumed()]).toEqual([told, 1]);
  });

  test('cancelled while it is made again, it is cancelled; the next prompt stands on the same cache', async () => {
    const controller = new AbortController();
    const t = setUp();
    t.engine.onStep = (step) => step === 2 && lose();
    await expect(t.generate([1, 2, 3], { signal: controller.signal })).rejects.toMatchObject({ code: 'gpu.device-lost' });
    const next = new CountingEngine();
    next.onReplay = () => controller.abort();
    t.session.moveTo(next.asEngine());
    expect(await t.session.resume()).toMatchObject({ reason: 'cancelled', answerTokens: 2 });
    next.onReplay = () => {};
    expect((await t.generate([1, 2, 3, 103, 104, 5])).keptTokens).toBe(4);
    expect(next.cache.slice(0, 4)).toEqual(t.engine.cache);
  });

  test('lost while the prompt was read: it is read again, on top of what earlier answers made', async () => {
    const t = setUp();
    await t.generate([1, 2, 3]);
    t.engine.prefill = async () => lose();
    const prompt = [1, 2, 3, 103, 104, 105, 106, 9];
    await expect(t.generate(prompt)).rejects.toMatchObject({ code: 'gpu.device-lost' });
    const next = new CountingEngine();
    t.session.moveTo(next.asEngine());
    expect(await t.session.resume()).toMatchObject({ answerTokens: 4, keptTokens: 6 });
    expect(next.cache.map(({ by }) => by[0]).join('')).toBe('ppddddpdddd');
    expect(next.cache.slice(0, 8).map(({ id }) => id)).toEqual(prompt);
  });

  test('lost between answers: the next prompt finds as much kept as it would have', async () => {
    const t = setUp();
    await t.generate([1, 2, 3]);
    const next = new CountingEngine();
    t.session.moveTo(next.asEngine());
    expect((await t.generate([1, 2, 3, 103, 104, 9])).keptTokens).toBe(5);
    expect(next.cache.map(({ by }) => by[0]).join('')).toBe('ppddddddd');
  });
});

test('a prompt as long as the context is refused with both numbers', async () => {
  const { generate } = setUp();
  await expect(generate(new Array<number>(64).fill(1))).rejects.toMatchObject({
    code: 'engine.context-full',
    details: { promptTokens: 64, contextTokens: 64 },
  });
});

test('two at once are a bug of the host', async () => {
  const { generate } = setUp();
  const first = generate([1]);
  await expect(generate([1])).rejects.toThrow('one answer at a time');
  await first;
});
