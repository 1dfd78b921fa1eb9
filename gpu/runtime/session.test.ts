import { expect, test } from 'vitest';
import { engineError } from '../errors.ts';
import { EngineSession } from './session.ts';
import type { Engine, FinishReason, GenerateRequest, SampledToken } from './types.ts';

const SAMPLING = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };

/** Answers with successive ids from 100 on; `fed` holds what was prefilled, call by call. */
class CountingEngine {
  readonly contextTokens = 64;
  position = 0;
  readonly fed: number[][] = [];
  pending = 0;
  onStep = (_step: number): void => {};

  async prefill(tokens: ArrayLike<number>, options: { signal?: AbortSignal; onProgress?: (d: number, t: number) => void } = {}) {
    if (options.signal?.aborted) throw engineError('engine.cancelled', 'cancelled');
    this.fed.push(Array.from(tokens));
    this.position += tokens.length - 1;
    options.onProgress?.(tokens.length, tokens.length);
  }

  async *generate(request: GenerateRequest): AsyncGenerator<SampledToken, FinishReason> {
    for (let step = 0; step < request.maxTokens; step++) {
      this.onStep(step);
      if (request.signal?.aborted) return 'cancelled';
      const id = 100 + step;
      yield { id, position: ++this.position };
      if (request.endIds.has(id)) return 'end-token';
    }
    return 'max-tokens';
  }

  truncate(position: number): void {
    if (position > this.position) throw new Error(`truncate(${position}) beyond ${this.position}`);
    this.position = position;
  }
}

function setUp() {
  const engine = new CountingEngine();
  let now = 0;
  const session = new EngineSession(engine as unknown as Engine, () => (now += 5));
  const batches: number[][] = [];
  const progress: [number, number][] = [];
  const generate = (promptIds: number[], more: Partial<Parameters<EngineSession['generate']>[0]> = {}) =>
    session.generate(
      { promptIds, maxTokens: 4, endIds: [], sampling: SAMPLING, ...more },
      { onPrefill: (done, total) => progress.push([done, total]), onTokens: (ids) => batches.push([...ids]) },
    );
  return { engine, session, generate, batches, progress };
}

test('a first prompt is read whole, the answer comes in order and in batches', async () => {
  const { engine, generate, batches, progress } = setUp();
  const result = await generate([1, 2, 3]);
  expect(result).toMatchObject({ reason: 'max-tokens', promptTokens: 3, keptTokens: 0, answerTokens: 4, contextUsedTokens: 6 });
  expect(engine.fed).toEqual([[1, 2, 3]]);
  expect(batches.flat()).toEqual([100, 101, 102, 103]);
  expect(batches.length).toBeLessThan(4);
  expect(progress).toEqual([
    [0, 3],
    [3, 3],
  ]);
});

test('the next prompt keeps the common prefix, answer included, and feeds the rest', async () => {
  const { engine, generate } = setUp();
  await generate([1, 2, 3]);
  const result = await generate([1, 2, 3, 100, 101, 102, 7, 8]);
  expect(result.keptTokens).toBe(6);
  expect(engine.fed[1]).toEqual([7, 8]);
});

test('the last sampled token is not in the cache, so it is fed', async () => {
  const { engine, generate } = setUp();
  await generate([1, 2, 3]);
  expect((await generate([1, 2, 3, 100, 101, 102, 103, 9])).keptTokens).toBe(6);
  expect(engine.fed[1]).toEqual([103, 9]);
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
  expect(await generate([1], { endIds: [101] })).toMatchObject({ reason: 'end-token', answerTokens: 2 });
  expect(batches.flat()).toEqual([100, 101]);
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
  expect(batches.flat()).toEqual([100, 101]);
  engine.onStep = () => {};
  expect((await generate([1, 2, 100, 5])).keptTokens).toBe(3);
});

test('errors of the engine pass; the next prompt trusts only what the engine still holds', async () => {
  const { engine, generate } = setUp();
  engine.onStep = () => {
    throw engineError('gpu.out-of-memory', 'full');
  };
  await expect(generate([1, 2, 3])).rejects.toMatchObject({ code: 'gpu.out-of-memory' });
  engine.onStep = () => {};
  engine.position = 1;
  expect((await generate([1, 2, 3])).keptTokens).toBe(1);
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
