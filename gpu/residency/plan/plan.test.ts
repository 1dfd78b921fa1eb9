/** The planner over many models, budgets and machines: never over budget, never slower for more, a floor that holds, reasons for all. */
import { expect, test } from 'vitest';
import { isConclaveError } from '../../errors.ts';
import { leastGpuBytes, planOffload } from './plan.ts';
import type { MachineFigures, ModelNumbers, OffloadPlan, PlanRequest } from './types.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** Qwen3-30B-A3B at 4.5 bits: 48 layers, 128 experts of 2.65 MB, 8 used. */
function qwen30(overrides: Partial<ModelNumbers> = {}): ModelNumbers {
  return {
    layers: Array.from({ length: 48 }, () => ({
      slotBytes: 2654208,
      fileBytes: 2654208,
      stagedBytes: 2654464,
      stagedBytes: 2654464,
      slotsPerShard: 400,
    })),
    nExperts: 128,
    nUsed: 8,
    trainedContextTokens: 40960,
    weightsBytes: 1.2 * GIB,
    weightsTouchedBytes: 1 * GIB,
    nDispatches: 291,
    kvBytes: (tokens) => 98304 * tokens,
    activationBytes: (tokens, chunk) => 4 * MIB + 512 * tokens + 200_000 * chunk,
    readbackBytes: 8192,
    kvType: 'f16',
    repacksOnGpu: true,
    passingBytes: (chunk) => ({ readbackBytes: 610_000 + 32 * chunk, uniformBytes: 512 * 48 }),
    tableBytes: 24576,
    transitTableBytes: 512,
    ...overrides,
  };
}

const DISCRETE: MachineFigures = {
  unifiedMemory: false,
  software: false,
  gpuFreeBytes: 11 * GIB,
  ramFreeBytes: 24 * GIB,
  ramTotalBytes: 32 * GIB,
  diskBytesPerSecond: 3e9,
  uploadBytesPerSecond: 4e9,
  readbackMs: 2,
  computeBytesPerSecond: 250e9,
  dispatchMs: 0.006,
};
const UNIFIED: MachineFigures = {
  ...DISCRETE,
  unifiedMemory: true,
  gpuFreeBytes: 12 * GIB,
  ramFreeBytes: 12 * GIB,
  ramTotalBytes: 16 * GIB,
  computeBytesPerSecond: 60e9,
};

const request = (gpuBytes: number | null, extra: Partial<PlanRequest> = {}): PlanRequest => ({
  budgets: { gpuBytes, ramBytes: null },
  machine: DISCRETE,
  context: { tokens: 4096, fixed: true },
  ...extra,
});

function attempt(model: ModelNumbers, wanted: PlanRequest): OffloadPlan | number {
  try {
    return planOffload(model, wanted);
  } catch (error) {
    if (!isConclaveError(error) || error.code !== 'engine.budget') throw error;
    return error.details.leastBytes as number;
  }
}

function checkPlan(plan: OffloadPlan, model: ModelNumbers): void {
  const { gpu, residency, prediction } = plan;
  const parts = gpu.weightsBytes + gpu.expertsBytes + gpu.kvBytes + gpu.activationsBytes + gpu.stagingBytes;
  expect(parts).toBeCloseTo(gpu.totalBytes, 3);
  expect(gpu.totalBytes).toBeLessThanOrEqual(gpu.budgetBytes);
  expect(plan.ram.poolBytes).toBeLessThanOrEqual(plan.ram.budgetBytes);
  expect(plan.leastGpuBytes).toBeLessThanOrEqual(gpu.budgetBytes);
  expect(residency.layers).toHaveLength(model.layers.length);
  for (const layer of residency.layers) {
    if (layer.kind !== 'slotted') continue;
    expect(layer.nSlots).toBeGreaterThanOrEqual(2 * model.nUsed);
    expect(layer.nSlots).toBeLessThan(model.nExperts);
  }
  const passes = residency.layers.some(({ kind }) => kind !== 'resident');
  expect(residency.transitSlots ?? 0).toBeGreaterThanOrEqual(passes ? model.nUsed : 0);
  expect(prediction.fromTokensPerSecond).toBeLessThanOrEqual(prediction.tokensPerSecond);
  expect(prediction.toTokensPerSecond).toBeGreaterThanOrEqual(prediction.tokensPerSecond);
  expect(prediction.hitRate).toBeGreaterThanOrEqual(0);
  expect(prediction.hitRate).toBeLessThanOrEqual(1);
  for (const { choice, why } of plan.reasons) expect(choice.length * why.length).toBeGreaterThan(0);
}

test.each([DISCRETE, UNIFIED])('budgets from nothing to everything (unified: $unifiedMemory)', (machine) => {
  const model = qwen30();
  let before = 0;
  const kinds = new Set<string>();
  for (let gpuBytes = 0.5 * GIB; gpuBytes <= 20 * GIB; gpuBytes += 419 * MIB) {
    const plan = attempt(model, request(gpuBytes, { machine }));
    if (typeof plan === 'number') {
      expect(plan).toBeGreaterThan(gpuBytes);
      continue;
    }
    checkPlan(plan, model);
    expect(plan.prediction.tokensPerSecond).toBeGreaterThanOrEqual(before * (1 - 1e-9));
    before = plan.prediction.tokensPerSecond;
    for (const { kind } of plan.residency.layers) kinds.add(kind);
  }
  expect([...kinds].sort()).toEqual(['resident', 'slotted', 'streamed']);
});

test('the floor that an error names works, and a mebibyte less does not', () => {
  const model = qwen30();
  const least = attempt(model, request(100 * MIB));
  expect(least).toBeTypeOf('number');
  checkPlan(planOffload(model, request(least as number)), model);
  expect(attempt(model, request((least as number) - MIB))).toBe(least);
});

test('a context that is only a wish gives way to the budget, and never grows when the budget shrinks', () => {
  const model = qwen30();
  let before = 0;
  for (let gpuBytes = 1.3 * GIB; gpuBytes <= 20 * GIB; gpuBytes += 611 * MIB) {
    const plan = attempt(model, request(gpuBytes, { context: null }));
    if (typeof plan === 'number') continue;
    checkPlan(plan, model);
    expect(plan.contextTokens).toBeGreaterThanOrEqual(before);
    before = plan.contextTokens;
  }
  expect(before).toBe(4096);
});

test('what fits is resident and certain; no transit slab, no pool, no staging', () => {
  const model = qwen30();
  const plan = planOffload(model, request(24 * GIB));
  expect(plan.layers).toEqual({ resident: 48, slotted: 0, streamed: 0 });
  expect(plan.prediction).toMatchObject({ hitRate: 1, hitRateSource: 'certain', readbacksPerToken: 1, bytesUploadedPerToken: 0 });
  expect(plan.residency).toMatchObject({ ramPoolBytes: 0, stagingBytes: 0 });
  expect(plan.residency.transitSlots).toBeUndefined();
});

test('no RAM pool on unified memory unless it is asked for', () => {
  const model = qwen30();
  expect(planOffload(model, request(6 * GIB, { machine: UNIFIED })).ram.poolBytes).toBe(0);
  const asked = { budgets: { gpuBytes: 6 * GIB, ramBytes: 2 * GIB }, machine: UNIFIED };
  expect(planOffload(model, request(null, asked)).ram.poolBytes).toBe(2 * GIB);
});

test('a layer whose experts take more shards than a dispatch binds is never resident', () => {
  const model = qwen30({
    layers: Array.from({ length: 48 }, () => ({
      slotBytes: 2654208,
      fileBytes: 2654208,
      stagedBytes: 2654464,
      stagedBytes: 2654464,
      slotsPerShard: 50,
    })),
  });
  const plan = planOffload(model, request(40 * GIB));
  checkPlan(plan, model);
  for (const layer of plan.residency.layers) expect(layer).toMatchObject({ kind: 'slotted', nSlots: 100 });
  const tooLarge = qwen30({ layers: [{ slotBytes: 1, fileBytes: 1, stagedBytes: 1, slotsPerShard: 3 }] });
  expect(() => planOffload(tooLarge, request(GIB))).toThrow(/binds only 6/);
});

test('a slow question to the GPU makes for fewer questions, a recorded hit curve for no assumption', () => {
  const model = qwen30();
  const slow = planOffload(model, request(8 * GIB, { machine: { ...DISCRETE, readbackMs: 20 } }));
  expect(slow.prediction.readbacksPerToken).toBeLessThanOrEqual(5);
  const recorded = planOffload(model, request(8 * GIB, { history: { computeMsPerToken: 9, hitCurve: [[0.5, 0.99]] } }));
  expect(recorded.prediction).toMatchObject({ hitRateSource: 'recorded', computeMs: 9, assumptions: [] });
});

test('a short prompt is predicted slower, since all its experts come for few tokens; the plan stays', () => {
  const planned = (promptTokens?: number) => planOffload(qwen30(), request(6 * GIB, { promptTokens }));
  const [usual, long, short] = [planned(), planned(512), planned(32)];
  expect(long).toEqual(usual);
  expect(short.residency).toEqual(usual.residency);
  expect(short.prediction.promptTokensPerSecond).toBeLessThan(usual.prediction.promptTokensPerSecond / 3);
  // A chunk brings its experts once: 32 tokens of 8 experts need 87 % of the 128, 512 need them all.
  const perChunk = ({ prediction }: OffloadPlan, tokens: number) => tokens / prediction.promptTokensPerSecond;
  expect(perChunk(short, 32)).toBeLessThan(perChunk(usual, 512));
  expect(perChunk(short, 32)).toBeGreaterThan(0.5 * perChunk(usual, 512));
});

/** xorshift32. */
function randomFrom(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

test('random models, machines and budgets', () => {
  for (let seed = 1; seed <= 25; seed++) {
    const random = randomFrom(seed * 7919);
    const int = (least: number, most: number) => least + Math.floor(random() * (most - least + 1));
    const nUsed = int(1, 8);
    const nExperts = nUsed * int(2, 16);
    const kinds = Array.from({ length: int(1, 2) }, () => 256 * int(10, 20000));
    const model = qwen30({
      nExperts,
      nUsed,
      layers: Array.from({ length: int(1, 24) }, (_, i) => {
        const slotBytes = kinds[i % kinds.length];
        return {
          slotBytes,
          fileBytes: slotBytes - int(0, 255),
          stagedBytes: slotBytes + 256,
          stagedBytes: slotBytes + 256,
          slotsPerShard: int(nUsed, 2 * nExperts),
        };
      }),
      weightsBytes: int(1, 500) * MIB,
      weightsTouchedBytes: int(1, 400) * MIB,
      kvBytes: (tokens) => 4096 * tokens,
      activationBytes: (tokens, chunk) => MIB + 64 * tokens + 20_000 * chunk,
    });
    const machine = {
      ...(random() < 0.5 ? DISCRETE : UNIFIED),
      readbackMs: 0.1 + 3 * random(),
      diskBytesPerSecond: random() < 0.3 ? null : 1e8 + 5e9 * random(),
    };
    const context = { tokens: int(1, 64) * 64, fixed: true };
    const floor = leastGpuBytes(model, context.tokens);
    let before = 0;
    for (const factor of [0.9, 1, 1.01, 1.1, 1.5, 2, 4, 16]) {
      const gpuBytes = Math.ceil(floor * factor);
      const plan = attempt(model, { budgets: { gpuBytes, ramBytes: null }, machine, context });
      const where = `seed ${seed}, budget ${gpuBytes}`;
      if (factor < 1) {
        expect(plan, where).toBeTypeOf('number');
        continue;
      }
      expect(plan, where).toBeTypeOf('object');
      checkPlan(plan as OffloadPlan, model);
      const turnMs = turnOf(plan as OffloadPlan);
      if (before > 0) expect(turnMs, where).toBeLessThanOrEqual(before * (1 + 1e-9));
      before = turnMs;
    }
  }
});

/** The turn that a plan is chosen for: 512 prompt tokens, 256 of answer. */
function turnOf({ prediction }: OffloadPlan): number {
  return (512 * 1000) / prediction.promptTokensPerSecond + (256 * 1000) / prediction.tokensPerSecond;
}
