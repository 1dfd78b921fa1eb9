/** Parity on tiny generated files: the GPU engine and llama.cpp against the f64 reference. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { readModel } from '../../gpu/architectures/read-model.ts';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import type { GpuDevice } from '../../gpu/device/open-device.ts';
import { memorySource } from '../../gpu/gguf/memory-source.ts';
import { openGguf } from '../../gpu/gguf/read.ts';
import { f32Value, stringValue } from '../../gpu/gguf/write.ts';
import { TYPES } from '../../gpu/kernels/prefill-shared/case-helpers.ts';
import { COMPUTE_TYPES, type ComputeType } from '../../gpu/quant/types.ts';
import { createReferenceEngine, type ReferenceResult } from '../../gpu/reference/engine.ts';
import { drawU32 } from '../../gpu/reference/ops/random.ts';
import { groupScores, selectionScores, type GatingNumbers } from '../../gpu/reference/ops/routing.ts';
import { ReferenceWeights } from '../../gpu/reference/weights.ts';
import { TINY_ARCHITECTURES, tinyModel, type TinyModelOptions } from '../fixtures/tiny-model.ts';
import { nmsePerPosition, shareWithin, spread } from './compare.ts';
import { compareGpu } from './gpu-engine.ts';
import type { LlamaOracle } from './llama.ts';
import { llamaProduct } from './llama-products.ts';
import { percent, scientific, spreadCell, type Check, type Row } from './report.ts';

export interface TinyCase {
  readonly name: string;
  readonly options: TinyModelOptions;
  readonly positions: number;
}

const SEED = 11;
/** Through the decode kernels; the prefill kernels see all. */
const DECODED_TOKENS = 24;

/**
 * Activations that meet a k-quant are rounded in long blocks, and one that lies between two numbers may fall to either; with every layer more it is
 * likelier that one does and another expert is chosen, which is not what is compared here.
 */
function layersOf(type: ComputeType): Partial<TinyModelOptions> {
  return type.endsWith('_K') ? { nLayers: 2 } : {};
}

/** Each architecture with many types, a dense one and one of experts with all, then what single files can hold besides. 300 positions are more than one attention split. */
export const TINY_CASES: readonly TinyCase[] = [
  ...TINY_ARCHITECTURES.flatMap((architecture) =>
    (architecture === 'llama' || architecture === 'qwen3moe' ? COMPUTE_TYPES : TYPES).map((type) => ({
      name: architecture,
      options: { architecture, type, seed: SEED, ...layersOf(type) },
      positions: 64,
    })),
  ),
  ...TINY_ARCHITECTURES.map((architecture) => ({
    name: `${architecture}, long`,
    options: { architecture, type: 'F32' as const, seed: SEED },
    positions: 300,
  })),
  {
    name: 'llama, tied head, rope factors',
    options: { architecture: 'llama', type: 'F32', seed: SEED, tiedHead: true, ropeFactors: true },
    positions: 64,
  },
  {
    name: 'llama, linear rope scaling',
    options: {
      architecture: 'llama',
      type: 'F32',
      seed: SEED,
      metadata: {
        'llama.rope.scaling.type': stringValue('linear'),
        'llama.rope.scaling.factor': f32Value(4),
      },
    },
    positions: 64,
  },
  {
    name: 'qwen3moe, tied head',
    options: { architecture: 'qwen3moe', type: 'F32', seed: SEED, tiedHead: true },
    positions: 64,
  },
  {
    name: 'gpt-oss, mixed with Q8_0',
    options: { architecture: 'gpt-oss', type: 'MXFP4', otherType: 'Q8_0', seed: SEED },
    positions: 64,
  },
  {
    name: 'mixtral, mixed with Q6_K',
    options: { architecture: 'mixtral', type: 'Q4_K', otherType: 'Q6_K', seed: SEED },
    positions: 64,
  },
];

/** Bars of the comparison with llama.cpp. Its f16 cache alone makes up to 5e-7 here, one rounding that falls the other way up to 3e-4. */
const F32_BAR = 1e-5;
const QUANTISED_BAR = 5e-4;
const LEAST_SHARE = 0.98;
/** The rounding's effect is known from one draw; another is seldom more than a few times as large. */
const NARROW_MARGIN = 4;

/** What there is to compare with; an undefined one is left out. */
export interface Peers {
  readonly llama?: LlamaOracle;
  readonly gpu?: GpuDevice;
}

export async function tinyParity(tiny: TinyCase, folder: string, { llama, gpu }: Peers): Promise<Row> {
  const file = path.join(folder, 'tiny.gguf');
  const bytes = tinyModel(tiny.options);
  writeFileSync(file, bytes);
  const model = readModel(await openGguf(memorySource(file, bytes)));
  const tokens = Array.from({ length: tiny.positions }, (_, i) => drawU32(SEED, i) % model.vocabularySize);
  const ours = await createReferenceEngine(model).run(tokens);
  const parts = [
    gpu && (await compareGpu(gpu, model, tokens, ours.logits, Math.min(tokens.length, DECODED_TOKENS))),
    llama && (await compareLlama(llama, file, model, tokens, ours)),
  ];
  const { type, otherType } = tiny.options;
  return {
    file: tiny.name,
    type: otherType ? `${type}, ${otherType}` : type,
    positions: tokens.length,
    cells: Object.assign({}, ...parts.map((part) => part?.cells)) as Record<string, string>,
    checks: parts.flatMap((part) => part?.checks ?? []),
  };
}

/**
 * Two comparisons with llama.cpp. As it is used: f16 cache, its products round activations, ours do not; for F32 it is held to the bar, for other types
 * each position over the bar must be explained by that rounding. With the rounding reproduced: f32 cache, the reference multiplies as llama.cpp does; what
 * is left is held to the bar for every type.
 */
async function compareLlama(
  llama: LlamaOracle,
  file: string,
  model: ModelSpec,
  tokens: readonly number[],
  ours: ReferenceResult,
): Promise<Pick<Row, 'cells' | 'checks'>> {
  const { vocabularySize } = model;
  const job = { file, tokens, generate: 0, vocabularySize } as const;
  const used = await llama.evaluate({ ...job, kv: 'F16' });
  const asUsed = nmsePerPosition(ours.logits, used.logits, vocabularySize);
  const exact = await llama.evaluate({ ...job, kv: 'F32' });
  const theirs = await createReferenceEngine(model, { kvRounding: 'none', productOf: llamaProduct }).run(tokens);
  const reproduced = nmsePerPosition(theirs.logits, exact.logits, vocabularySize);
  return {
    cells: {
      'rounding reproduced': spreadCell(spread(reproduced)),
      'as used': spreadCell(spread(asUsed)),
      'as used ≤ 5e-4': percent(shareWithin(asUsed, QUANTISED_BAR)),
    },
    checks:
      model.embedding.type === 'F32'
        ? [everyPosition('llama.cpp as used', asUsed, F32_BAR), everyPosition('llama.cpp, f32 cache', reproduced, F32_BAR)]
        : [
            mostPositions(reproduced),
            explainedByRounding(
              asUsed,
              nmsePerPosition(ours.logits, theirs.logits, vocabularySize),
              await routerMargins(ours, theirs, model),
            ),
          ],
  };
}

function mostPositions(reproduced: readonly number[]): Check {
  const share = shareWithin(reproduced, QUANTISED_BAR);
  return {
    name: 'llama.cpp, its rounding reproduced',
    passed: share >= LEAST_SHARE,
    detail: `NMSE ≤ ${QUANTISED_BAR} at ${percent(share)} of positions, at least ${percent(LEAST_SHARE)} needed`,
  };
}

/**
 * How many times the rounding's own effect on what experts stand at, at a position, the gap between the last chosen and the first unchosen expert
 * (or group) is: the least over the layers. `exact` and `rounded` are the reference without and with llama.cpp's rounding.
 */
async function routerMargins(exact: ReferenceResult, rounded: ReferenceResult, model: ModelSpec): Promise<number[]> {
  const weights = new ReferenceWeights(model.file, 2 ** 20);
  const gatings: GatingNumbers[] = [];
  for (const { ffn } of model.layers)
    if (ffn.kind === 'moe') gatings.push({ ...ffn.moe, selectionBias: await weights.values(ffn.selectionBias) });
  return exact.routerLogits.map((layers, position) =>
    Math.min(
      Infinity,
      ...layers.map((logits, layer) => {
        const { groups, ...gating } = gatings[layer];
        const scores = selectionScores(logits, gating);
        const others = selectionScores(rounded.routerLogits[position][layer], gating);
        const effect = Math.max(...scores.map((score, expert) => Math.abs(score - others[expert])));
        const experts = gapAfter(selectionScores(logits, { ...gating, groups }), gating.nExpertsUsed);
        const between = groups ? gapAfter(groupScores(scores, groups), groups.used) / 2 : Infinity; // a sum of two scores
        return Math.min(experts, between) / effect;
      }),
    ),
  );
}

/** Between the n-th greatest value and the next. */
function gapAfter(values: Float64Array, n: number): number {
  const falling = values.toSorted().reverse();
  return n < falling.length ? falling[n - 1] - falling[n] : Infinity;
}

/**
 * A position over the bar is explained when the rounding alone moves the reference's logits there within an order of magnitude of the difference, or
 * when a router's margin there is below a few times what the rounding does to its logits, so that another expert may have been chosen.
 */
function explainedByRounding(asUsed: readonly number[], rounding: readonly number[], margins: readonly number[]): Check {
  const unexplained = asUsed.flatMap((nmse, position) =>
    nmse <= QUANTISED_BAR || rounding[position] >= nmse / 10 || margins[position] <= NARROW_MARGIN ? [] : [position],
  );
  return {
    name: 'llama.cpp as used',
    passed: unexplained.length === 0,
    detail: `positions ${unexplained.join(', ')} differ by more than ${QUANTISED_BAR} and than its rounding makes`,
  };
}

export function everyPosition(name: string, nmse: readonly number[], bar: number): Check {
  const { worst } = spread(nmse);
  return { name, passed: worst <= bar, detail: `worst NMSE ${scientific(worst)}, at most ${bar} allowed` };
}
