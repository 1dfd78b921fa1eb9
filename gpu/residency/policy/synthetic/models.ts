/**
 * Models that are too large to run here, in numbers: shapes from their public configurations, experts at 4.5 bits a weight (gpt-oss 4.25, MXFP4),
 * everything else at 6 bits, as files of mixed 4- and 6-bit types have it. `source` says where the hit rates come from; the rest of a
 * curve is a straight line between its points.
 */
import type { ModelNumbers } from '../../plan/types.ts';
import type { SyntheticRouting } from './generate.ts';

export interface SyntheticModel {
  readonly name: string;
  readonly nLayers: number; // MoE layers
  readonly totalParameters: number;
  readonly expertParameters: number; // of one expert
  readonly bitsPerExpertWeight: number;
  readonly embeddingParameters: number;
  readonly kvBytesPerToken: number; // f16
  /** State besides keys and values that a sequence has, whatever its length. */
  readonly stateBytes: number;
  readonly trainedContextTokens: number;
  readonly routing: SyntheticRouting;
  readonly source: string;
}

/**
 * Popularity exponent for all: with it a list of the 6 % of experts that one text uses most covers 11 % of another's uses in the Qwen models,
 * as the 10 % reported for a model with 512 experts (github.com/ggml-org/llama.cpp pull 27861). Reports of far stronger skew exist and contradict
 * it; strong skew would help.
 */
const SKEW = 0.1;

export const SYNTHETIC_MODELS: Readonly<Record<string, SyntheticModel>> = {
  'qwen3-30b-a3b': {
    name: 'Qwen3-30B-A3B',
    nLayers: 48,
    totalParameters: 30.5e9,
    expertParameters: 3 * 2048 * 768,
    bitsPerExpertWeight: 4.5,
    embeddingParameters: 151936 * 2048,
    kvBytesPerToken: 48 * 4 * 128 * 4,
    stateBytes: 0,
    trainedContextTokens: 40960,
    routing: {
      nExperts: 128,
      nUsed: 8,
      skew: SKEW,
      hits: [
        [8, 0.366],
        [24, 0.741],
        [49, 0.894],
        [82, 0.962],
      ],
    },
    source:
      'recency cache over a cold conversation of 256 tokens, 6, 19, 38 and 64 % of the experts: 36.6, 74.1, 89.4, 96.2 % (github.com/kekzl/imp issue 1374)',
  },
  'qwen3.6-35b-a3b': {
    name: 'Qwen3.6-35B-A3B',
    nLayers: 40,
    totalParameters: 35e9,
    expertParameters: 3 * 2048 * 512,
    bitsPerExpertWeight: 4.5,
    embeddingParameters: 248320 * 2048,
    kvBytesPerToken: 10 * 2 * 256 * 4,
    stateBytes: 30 * 32 * 128 * 128 * 4,
    trainedContextTokens: 262144,
    routing: {
      nExperts: 256,
      nUsed: 8,
      skew: SKEW,
      hits: [
        [8, 0.35],
        [64, 0.86],
        [96, 0.92],
      ],
    },
    source:
      'next token 35 % (a 40-layer Qwen of 256 experts: BigMoeOnEdge issue 101); 64 and 96 slots: 86 and 92 %, inferred as the 8th root of the share of layers without a miss, 29.9 and 50.7 % (NeelM0906/Mference)',
  },
  'gpt-oss-20b': {
    name: 'gpt-oss-20b',
    nLayers: 24,
    totalParameters: 20.9e9,
    expertParameters: 3 * 2880 * 2880,
    bitsPerExpertWeight: 4.25,
    embeddingParameters: 201088 * 2880,
    kvBytesPerToken: 24 * 8 * 64 * 4,
    stateBytes: 0,
    trainedContextTokens: 131072,
    routing: { nExperts: 32, nUsed: 4, skew: SKEW, hits: [[4, 0.18]] },
    source:
      'next token 18 % (BigMoeOnEdge issue 101); nothing between that and all experts is known, so it is a straight line: pessimistic',
  },
  'mixtral-8x7b': {
    name: 'Mixtral 8x7B',
    nLayers: 32,
    totalParameters: 46.7e9,
    expertParameters: 3 * 4096 * 14336,
    bitsPerExpertWeight: 4.5,
    embeddingParameters: 32000 * 4096,
    kvBytesPerToken: 32 * 8 * 128 * 4,
    stateBytes: 0,
    trainedContextTokens: 32768,
    routing: {
      nExperts: 8,
      nUsed: 2,
      skew: SKEW,
      hits: [
        [2, 0.4],
        [4, 0.6],
      ],
    },
    source: 'recency cache of 2 to 4 of 8 experts: about 40 to 60 % (Eliseev and Mazur, arXiv 2312.17238)',
  },
};

const BYTES_PER_OTHER_WEIGHT = 6 / 8;

export function expertBytes({ expertParameters, bitsPerExpertWeight }: SyntheticModel): number {
  return (expertParameters * bitsPerExpertWeight) / 8;
}

/** For the planner. Activations are of the size that models of this kind have here; they do not decide anything. */
export function numbersOf(model: SyntheticModel, bindingBytes: number): ModelNumbers {
  const { nExperts, nUsed } = model.routing;
  const fileBytes = expertBytes(model);
  const slotBytes = Math.ceil(fileBytes / 256) * 256;
  const others = model.totalParameters - model.nLayers * nExperts * model.expertParameters;
  return {
    layers: Array.from({ length: model.nLayers }, () => ({
      slotBytes,
      fileBytes,
      stagedBytes: slotBytes + 256,
      slotsPerShard: Math.floor(bindingBytes / slotBytes),
    })),
    nExperts,
    nUsed,
    trainedContextTokens: model.trainedContextTokens,
    weightsBytes: others * BYTES_PER_OTHER_WEIGHT + model.stateBytes,
    weightsTouchedBytes: (others - model.embeddingParameters) * BYTES_PER_OTHER_WEIGHT,
    nDispatches: 6 * model.nLayers + 3,
    kvBytes: (tokens) => model.kvBytesPerToken * tokens,
    activationBytes: (tokens, chunk) => 4 * 2 ** 20 + 512 * tokens + 200_000 * chunk,
    readbackBytes: 8192,
    kvType: 'f16',
    repacksOnGpu: true,
    passingBytes: (chunk) => ({ readbackBytes: 2 ** 20 + 4 * nUsed * chunk, uniformBytes: 512 * model.nLayers }),
    tableBytes: 4 * model.nLayers * nExperts,
    transitTableBytes: 4 * nExperts,
  };
}
