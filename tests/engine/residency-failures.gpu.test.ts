/** Experts that do not come: a source that fails, is short, changed or slow; the sequence goes on as if nothing had been. */
import { beforeAll, describe, expect, test } from 'vitest';
import { readModel } from '../../gpu/architectures/read-model.ts';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import { engineError } from '../../gpu/errors.ts';
import { memorySource } from '../../gpu/gguf/memory-source.ts';
import { openGguf } from '../../gpu/gguf/read.ts';
import type { ByteSource } from '../../gpu/gguf/types.ts';
import { residencyFootprint } from '../../gpu/residency/footprint.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import type { Engine } from '../../gpu/runtime/types.ts';
import { tinyModel } from '../fixtures/tiny-model.ts';
import { withRoomFor } from './limited-gpu.ts';
import { planOf, slotted, STREAMED } from './plans.ts';
import { generate, gpu, GREEDY, SEED, someTokens, withEngine } from './setup.ts';

const N_GENERATED = 12;

/** What happens to reads straight into memory (only experts come so), and to the check behind them. */
interface Trouble {
  onRead?: (signal?: AbortSignal) => Promise<void>;
  onVerify?: () => Promise<void>;
}

function troubled(source: ByteSource, trouble: Trouble): ByteSource {
  return {
    ...source,
    async readInto(offsetBytes, target, signal) {
      await trouble.onRead?.(signal);
      return source.readInto(offsetBytes, target, signal);
    },
    verify: async () => trouble.onVerify?.(),
  };
}

describe.skipIf(!gpu)('experts that do not come', () => {
  const bytes = tinyModel({ architecture: 'mixtral', type: 'Q4_0', nLayers: 3, seed: SEED });
  const specOf = async (trouble: Trouble) => readModel(await openGguf(troubled(memorySource('tiny.gguf', bytes), trouble)));
  let model: ModelSpec;
  let prompt: number[];
  let truth: number[];
  beforeAll(async () => {
    model = await specOf({});
    prompt = someTokens(model, 6);
    truth = await withEngine(model, { contextTokens: 64 }, async (engine) => {
      await engine.prefill(prompt);
      return (await generate(engine, N_GENERATED, GREEDY)).map(({ id }) => id);
    });
  });

  const withTrouble = async (use: (engine: Engine, trouble: Trouble) => Promise<void>, kinds = [slotted(3), STREAMED]) => {
    const trouble: Trouble = {};
    const spec = await specOf(trouble);
    const residency = planOf(spec, kinds, { ramPoolBytes: 50_000 });
    await withEngine(spec, { contextTokens: 64, residency }, (engine) => use(engine, trouble));
  };
  /** The rest of the answer, after what `engine` has said of it. */
  const finish = async (engine: Engine) => {
    const said = engine.position - (prompt.length - 1);
    return (await generate(engine, N_GENERATED - said, GREEDY)).map(({ id }) => id);
  };

  test.each(['file.read', 'file.changed'] as const)('%s: a typed error, and the answer goes on where it was', async (code) => {
    await withTrouble(async (engine, trouble) => {
      await engine.prefill(prompt);
      const fail = () => Promise.reject(engineError(code, 'made up'));
      const ids: number[] = [];
      let reads = 0;
      if (code === 'file.read') trouble.onRead = () => (++reads === 20 ? fail() : Promise.resolve());
      else trouble.onVerify = () => (++reads === 8 ? fail() : Promise.resolve());
      const failing = (async () => {
        for await (const { id } of engine.generate({ maxTokens: N_GENERATED, sampling: GREEDY, endIds: new Set() })) ids.push(id);
      })();
      await expect(failing).rejects.toMatchObject({ code });
      expect(ids.length).toBeGreaterThan(0);
      expect([...ids, ...(await finish(engine))]).toEqual(truth);
    });
  });

  test('a file that is shorter than it was', async () => {
    const trouble: Trouble = {};
    const spec = await specOf(trouble);
    const [part] = spec.file.sources;
    const cut = memorySource('tiny.gguf', bytes.subarray(0, bytes.length / 2));
    let isCut = false;
    const shortened: ByteSource = {
      ...part,
      readInto: (offset, target, signal) => (isCut ? cut : part).readInto(offset, target, signal),
    };
    const shortSpec = { ...spec, file: { ...spec.file, sources: [shortened] } };
    await withEngine(shortSpec, { contextTokens: 64, residency: planOf(spec, [STREAMED]) }, async (engine) => {
      await engine.prefill(prompt);
      isCut = true;
      await expect(generate(engine, 1, GREEDY)).rejects.toMatchObject({ code: 'file.read' });
      isCut = false;
      expect(await finish(engine)).toEqual(truth);
    });
  });

  test('cancelled while a read hangs; the same answer afterwards, and again after going back', async () => {
    await withTrouble(async (engine, trouble) => {
      await engine.prefill(prompt);
      const abort = new AbortController();
      trouble.onRead = (signal) =>
        new Promise((_, reject) => {
          abort.signal.addEventListener('abort', () => reject(abort.signal.reason as Error));
          if (signal?.aborted) reject(abort.signal.reason as Error);
          abort.abort();
        });
      const cancelled = engine.generate({ maxTokens: 5, sampling: GREEDY, endIds: new Set(), signal: abort.signal });
      expect(await cancelled.next()).toEqual({ done: true, value: 'cancelled' });
      trouble.onRead = undefined;
      expect(await finish(engine)).toEqual(truth);
      engine.truncate(2);
      await engine.prefill(prompt.slice(2));
      expect(await finish(engine)).toEqual(truth);
    });
  });

  test('a prefill cancelled while experts pass', async () => {
    await withTrouble(async (engine, trouble) => {
      const abort = new AbortController();
      let reads = 0;
      trouble.onRead = async (signal) => {
        if (++reads === 10) abort.abort();
        signal?.throwIfAborted();
      };
      await expect(engine.prefill(prompt, { signal: abort.signal })).rejects.toMatchObject({ code: 'engine.cancelled' });
      trouble.onRead = undefined;
      engine.truncate(0);
      await engine.prefill(prompt);
      expect(await finish(engine)).toEqual(truth);
    });
  });

  test('stop waits for the read in flight and ends what was at work', async () => {
    await withTrouble(async (engine, trouble) => {
      await engine.prefill(prompt);
      let isReading = false;
      const begun = new Promise<void>((resolve) => {
        trouble.onRead = async () => {
          isReading = true;
          resolve();
          await new Promise((later) => setTimeout(later, 20));
          isReading = false;
        };
      });
      const failing = expect(generate(engine, 5, GREEDY)).rejects.toMatchObject({ code: 'engine.cancelled' });
      await begun;
      expect(isReading).toBe(true);
      await engine.stop();
      expect(isReading).toBe(false);
      await failing;
    });
  });

  test('a GPU without room for all slots: fewer of them, the same answer', async () => {
    const before = gpu!.buffers.totalBytes;
    const limited = withRoomFor(gpu!, { expertsBytes: 300_000 });
    const engine = await createEngine(limited, { model, contextTokens: 64 });
    expect(engine.residency().slotsBytes).toBeLessThanOrEqual(300_000);
    await engine.prefill(prompt);
    expect(await finish(engine)).toEqual(truth);
    engine.dispose();
    const none = createEngine(withRoomFor(gpu!, { expertsBytes: 1000 }), { model, contextTokens: 64 });
    await expect(none).rejects.toMatchObject({ code: 'gpu.out-of-memory' });
    expect(gpu!.buffers.totalBytes).toBe(before);
  });

  test('the ledger holds what the footprint says, and staging what the plan says', async () => {
    const residency = planOf(model, [slotted(3), STREAMED], { stagingBytes: 100_000 });
    const nUsed = model.layers.map(() => 2);
    const limit = Math.min(gpu!.capabilities.maxStorageBindingBytes, gpu!.capabilities.maxBufferBytes);
    const { slotsBytes, transitBytes, tableBytes } = residencyFootprint(model, residency, nUsed, limit);
    const before = gpu!.buffers.ledger();
    await withEngine(model, { contextTokens: 64, residency }, async (engine) => {
      const memory = engine.memory();
      const aligned = Math.ceil(tableBytes / 16) * 16;
      expect(memory.expertsBytes - before.expertsBytes).toBe(slotsBytes + transitBytes + aligned);
      expect(engine.residency().slotsBytes).toBe(slotsBytes + transitBytes);
      const readBackBytes = 20_000; // decode and prefill read-backs of this model are far below
      expect(memory.stagingBytes - before.stagingBytes).toBeLessThanOrEqual(residency.stagingBytes + readBackBytes);
    });
    expect(gpu!.buffers.totalBytes).toBe(before.totalBytes);
  });
});
