/** Synthetic traces have the hit rates they were made for; forecasts hold the machine's budget and say their regime. */
import { expect, test } from 'vitest';
import { lru } from '../lru.ts';
import { simulate } from '../simulate.ts';
import { traceStatistics } from '../statistics.ts';
import { layerRequests } from '../trace.ts';
import { forecast, simulatedCurve } from './forecast.ts';
import { syntheticTrace } from './generate.ts';
import { SYNTHETIC_MACHINES } from './machines.ts';
import { expertBytes, numbersOf, SYNTHETIC_MODELS } from './models.ts';

const SEED = 11;
const models = Object.values(SYNTHETIC_MODELS);
const traceOf = (model: (typeof models)[number], nTokens = 1200) =>
  syntheticTrace(model.routing, { model: model.name, nLayers: 2, nTokens, seed: SEED });

test.each(models)('$name: a recency cache hits as often as was reported', (model) => {
  const trace = traceOf(model);
  for (const [nSlots, hit] of model.routing.hits) {
    const { hitRate } = simulate(trace, { nSlots, policy: lru });
    // Cold misses are in; choosing K different experts moves the depths a little.
    expect(Math.abs(hitRate - hit), `seed ${SEED}, ${nSlots} slots: ${hitRate}`).toBeLessThan(0.025);
  }
});

test.each(models)('$name: tokens have K different experts; the same seed gives the same trace', (model) => {
  const trace = traceOf(model, 50);
  const { nUsed, nExperts } = model.routing;
  for (const layer of [0, 1]) {
    const requests = layerRequests(trace, layer);
    for (let token = 0; token < 50; token++) {
      const ids = requests.subarray(token * nUsed, (token + 1) * nUsed);
      expect(new Set(ids).size).toBe(nUsed);
      expect(Math.max(...ids)).toBeLessThan(nExperts);
    }
  }
  expect(traceOf(model, 50)).toEqual(trace);
  expect(layerRequests(trace, 0)).not.toEqual(layerRequests(trace, 1));
});

test('a list of the most used experts covers as little of a later text as was reported', () => {
  const { routing } = SYNTHETIC_MODELS['qwen3-30b-a3b'];
  const requests = layerRequests(syntheticTrace(routing, { model: 'x', nLayers: 1, nTokens: 6000, seed: SEED }), 0);
  const counts = new Float64Array(routing.nExperts);
  for (const expert of requests.subarray(0, 2000 * routing.nUsed)) counts[expert]++;
  const listed = new Set([...counts.keys()].sort((a, b) => counts[b] - counts[a]).slice(0, routing.nExperts / 16));
  const later = requests.subarray(4000 * routing.nUsed);
  const covered = later.filter((expert) => listed.has(expert)).length / later.length;
  expect(covered, `seed ${SEED}`).toBeGreaterThan(0.08);
  expect(covered, `seed ${SEED}`).toBeLessThan(0.14);
});

test('popularity skews the choices, and no skew leaves them even', () => {
  const hits = [[8, 0.4]] as const;
  const share = (skew: number) =>
    traceStatistics(syntheticTrace({ nExperts: 64, nUsed: 4, hits, skew }, { model: 'x', nLayers: 2, nTokens: 3000, seed: SEED }))
      .topTenthShare;
  expect(share(0)).toBeLessThan(0.14);
  expect(share(0.8)).toBeGreaterThan(0.18);
});

test('the models are of their published sizes', () => {
  const expertsGb = models.map((model) => (model.nLayers * model.routing.nExperts * expertBytes(model)) / 1e9);
  expect(expertsGb.map((gb) => gb.toFixed(1))).toEqual(['16.3', '18.1', '10.2', '25.4']);
  for (const model of models) {
    const { weightsBytes, weightsTouchedBytes } = numbersOf(model, 2 ** 31);
    expect(weightsTouchedBytes).toBeGreaterThan(0.5e9);
    expect(weightsBytes).toBeGreaterThan(weightsTouchedBytes);
    expect(weightsBytes).toBeLessThan(3e9);
  }
});

test('forecasts: within the budget, slower on the smaller machine, a regime for each', () => {
  const model = SYNTHETIC_MODELS['qwen3-30b-a3b'];
  const curve = simulatedCurve(traceOf(model, 300));
  expect(curve.map(({ hitRate }) => hitRate)).toEqual(curve.map(({ hitRate }) => hitRate).sort((a, b) => a - b));
  const [discrete, unified] = ['discrete-12gb', 'unified-16gb'].map((name) => forecast(model, SYNTHETIC_MACHINES[name], curve));
  expect(discrete.regime).toBe('misses are common');
  expect(discrete.plan!.gpu.totalBytes).toBeLessThanOrEqual(discrete.plan!.gpu.budgetBytes);
  expect(discrete.plan!.prediction.hitRateSource).toBe('recorded');
  expect(discrete.plan!.prediction.tokensPerSecond).toBeGreaterThan(unified.plan!.prediction.tokensPerSecond);
});

test('forecasts name the floor where nothing fits, and know when nothing is ever missed', () => {
  const model = SYNTHETIC_MODELS['gpt-oss-20b'];
  const curve = simulatedCurve(traceOf(model, 100));
  const machine = SYNTHETIC_MACHINES['discrete-12gb'];
  const withGpu = (gpuFreeBytes: number) => ({ ...machine, figures: { ...machine.figures, gpuFreeBytes } });
  const none = forecast(model, withGpu(2 ** 28), curve);
  expect(none).toMatchObject({ regime: 'does not fit', plan: null });
  expect(none.leastBytes).toBeGreaterThan(2 ** 28);
  expect(forecast(model, withGpu(24 * 2 ** 30), curve)).toMatchObject({ regime: 'all resident' });
});
