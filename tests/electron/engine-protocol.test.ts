import { describe, expect, it } from 'vitest';
import type { EngineClient, EngineGenerateRequest, EngineReset } from '../../main/contract/engine.ts';
import type { EngineCommand, EngineReport } from '../../main/contract/engine-protocol.ts';
import { serviceError, type WireError } from '../../main/contract/errors.ts';
import { serveEngine } from '../../renderer/engine/serve.ts';
import { EngineHostClient, type EngineHost } from '../../main/hosts/electron/engine-client.ts';

const request: EngineGenerateRequest = {
  promptIds: Int32Array.of(1, 2, 3),
  maxTokens: 5,
  endIds: [0],
  sampling: { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 1 },
};
const never = new AbortController().signal;

/** Two ends whose messages are cloned and arrive later, as between processes. */
function wire() {
  const listeners: { main?: (report: EngineReport) => void; host?: (command: EngineCommand) => void } = {};
  const later = (deliver: () => void) => void Promise.resolve().then(deliver);
  return {
    main: {
      post: (command: EngineCommand) => later(() => listeners.host?.(structuredClone(command))),
      onMessage: (listener: (report: EngineReport) => void) => (listeners.main = listener),
    },
    host: {
      post: (report: EngineReport) => later(() => listeners.main?.(structuredClone(report))),
      onMessage: (listener: (command: EngineCommand) => void) => (listeners.host = listener),
    },
  };
}

function scriptedEngine(
  overrides: Partial<EngineClient> = {},
): EngineClient & { lose(error: WireError): void; reset(event: EngineReset): void; events: string[] } {
  const resetListeners: ((reset: EngineReset) => void)[] = [];
  const listeners: ((error: WireError) => void)[] = [];
  const events: string[] = [];
  return {
    events,
    load: async (load, onProgress) => {
      onProgress({ phase: 'weights', done: 1, total: 2 });
      const adapter = { description: `adapter of ${load.modelId}`, software: true };
      return { adapter, contextTokens: 64, plan: null, measured: null };
    },
    generate: async (generate, callbacks) => {
      callbacks.onPrefill(generate.promptIds.length, 3);
      callbacks.onTokens([7]);
      callbacks.onTokens([8, 9]);
      return { reason: 'max-tokens', promptTokens: 3, answerTokens: 3, prefillMs: 1, decodeMs: 2, contextUsedTokens: 6 };
    },
    probe: async () => ({
      adapter: { description: 'probed', software: true },
      unifiedMemory: true,
      gpuFreeBytes: 1,
      maxBindingBytes: 2,
      links: {
        adapter: 'probed',
        tensorType: 'Q4_K',
        diskBytesPerSecond: null,
        uploadBytesPerSecond: 1,
        readbackMs: 1,
        computeBytesPerSecond: 1,
        dispatchMs: 1,
      },
    }),
    limitRamPool: async (limitBytes) => limitBytes / 2,
    unload: async () => void events.push('unload'),
    close: async () => void events.push('close'),
    onReset: (listener) => {
      resetListeners.push(listener);
      return () => {};
    },
    reset: (event) => resetListeners.forEach((listener) => listener(event)),
    onLost: (listener) => {
      listeners.push(listener);
      return () => {};
    },
    lose: (error) => listeners.forEach((listener) => listener(error)),
    ...overrides,
  };
}

function connect(engines: EngineClient[]) {
  const hosts: { die(reason: string): void; ended: boolean }[] = [];
  const client = new EngineHostClient(async (): Promise<EngineHost> => {
    const ends = wire();
    const engine = engines[Math.min(hosts.length, engines.length - 1)];
    serveEngine(ends.host, engine);
    const host = { die: (_: string) => {}, ended: false };
    hosts.push(host);
    return { port: ends.main, died: new Promise((resolve) => (host.die = resolve)), end: () => void (host.ended = true) };
  });
  return { client, hosts };
}

describe('the engine over a port', () => {
  it('loads with progress', async () => {
    const { client } = connect([scriptedEngine()]);
    const progress: unknown[] = [];
    const loaded = await client.load({ modelId: 'm', paths: ['a.gguf'], contextTokens: null }, (p) => progress.push(p), never);
    const adapter = { description: 'adapter of m', software: true };
    expect(loaded).toEqual({ adapter, contextTokens: 64, plan: null, measured: null });
    expect(progress).toEqual([{ phase: 'weights', done: 1, total: 2 }]);
  });

  it('hands on prefill and tokens in order, before the result', async () => {
    const { client } = connect([scriptedEngine()]);
    const seen: unknown[] = [];
    const result = await client.generate(
      request,
      { onPrefill: (done, total) => seen.push(['prefill', done, total]), onTokens: (ids) => seen.push(['tokens', ...ids]) },
      never,
    );
    expect(seen).toEqual([
      ['prefill', 3, 3],
      ['tokens', 7],
      ['tokens', 8, 9],
    ]);
    expect(result.answerTokens).toBe(3);
  });

  it('rebuilds an error with its code and details', async () => {
    const failing = scriptedEngine({
      load: () => Promise.reject(serviceError('model.missing', 'gone', { path: 'a.gguf' })),
    });
    const { client } = connect([failing]);
    const load = client.load({ modelId: 'm', paths: ['a.gguf'], contextTokens: null }, () => {}, never);
    await expect(load).rejects.toMatchObject({ code: 'model.missing', message: 'gone', details: { path: 'a.gguf' } });
  });

  for (const when of ['before the call', 'during the call'] as const) {
    it(`cancels a generation that was aborted ${when}`, async () => {
      const controller = new AbortController();
      const waiting = scriptedEngine({
        generate: (_request, callbacks, signal) =>
          new Promise((resolve) => {
            const done = () =>
              resolve({ reason: 'cancelled', promptTokens: 3, answerTokens: 1, prefillMs: 1, decodeMs: 1, contextUsedTokens: 4 });
            signal.addEventListener('abort', done);
            callbacks.onTokens([1]);
          }),
      });
      const { client } = connect([waiting]);
      if (when === 'before the call') controller.abort();
      const onTokens = () => controller.abort();
      expect((await client.generate(request, { onPrefill: () => {}, onTokens }, controller.signal)).reason).toBe('cancelled');
    });
  }

  it('rejects what was running when the host dies, says so once, and starts a new one for the next call', async () => {
    const hanging = scriptedEngine({ generate: () => new Promise(() => {}) });
    const { client, hosts } = connect([hanging, scriptedEngine()]);
    const lost: WireError[] = [];
    client.onLost((error) => lost.push(error));
    const generation = client.generate(request, { onPrefill: () => {}, onTokens: () => {} }, never);
    await Promise.resolve();
    hosts[0].die('out of memory');
    await expect(generation).rejects.toMatchObject({ code: 'engine.crashed', details: { reason: 'out of memory' } });
    expect(lost.map((error) => error.code)).toEqual(['engine.crashed']);
    await client.load({ modelId: 'm', paths: [], contextTokens: null }, () => {}, never);
    expect(hosts).toHaveLength(2);
  });

  it('treats a report that went missing as the death of the host', async () => {
    const ends = wire();
    let ended = false;
    const client = new EngineHostClient(async () => ({
      port: ends.main,
      died: new Promise(() => {}),
      end: () => (ended = true),
    }));
    const load = client.load({ modelId: 'm', paths: [], contextTokens: null }, () => {}, never);
    await Promise.resolve();
    ends.host.post({ kind: 'done', call: 1, answer: null, sequence: 1 });
    await expect(load).rejects.toMatchObject({ code: 'engine.crashed', details: { reason: 'report 1 came, 0 was next' } });
    expect(ended).toBe(true);
  });

  it('reports a lost device', async () => {
    const engine = scriptedEngine();
    const { client } = connect([engine]);
    const lost: WireError[] = [];
    client.onLost((error) => lost.push(error));
    await client.load({ modelId: 'm', paths: [], contextTokens: null }, () => {}, never);
    engine.lose({ code: 'gpu.device-lost', message: 'gone', details: {} });
    await new Promise((resolve) => setImmediate(resolve));
    expect(lost).toEqual([{ code: 'gpu.device-lost', message: 'gone', details: {} }]);
  });

  it('reports a reset, and how it ended', async () => {
    const engine = scriptedEngine();
    const { client } = connect([engine]);
    const told: EngineReset[] = [];
    client.onReset((reset) => told.push(reset));
    const loaded = await client.load({ modelId: 'm', paths: [], contextTokens: null }, () => {}, never);
    const events: EngineReset[] = [
      { state: 'begun', error: { code: 'gpu.device-lost', message: 'gone', details: {} } },
      { state: 'done', loaded },
    ];
    events.forEach((event) => engine.reset(event));
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toEqual(events);
  });

  it('probes, and limits the RAM pool of a host that runs', async () => {
    const { client } = connect([scriptedEngine()]);
    expect(await client.limitRamPool(10)).toBe(0);
    const machine = await client.probe({ ramFreeBytes: 1, ramTotalBytes: 2, links: [] }, never);
    expect(machine).toMatchObject({ unifiedMemory: true, links: { tensorType: 'Q4_K' } });
    expect(await client.limitRamPool(10)).toBe(5);
  });

  it('closes the engine, then its host; without a host there is nothing to do', async () => {
    const engine = scriptedEngine();
    const { client, hosts } = connect([engine]);
    await client.unload();
    await client.close();
    expect(hosts).toHaveLength(0);
    await client.load({ modelId: 'm', paths: [], contextTokens: null }, () => {}, never);
    await client.unload();
    await client.close();
    expect(engine.events).toEqual(['unload', 'close']);
    expect(hosts[0].ended).toBe(true);
  });
});
