/**
 * GGUF → `ModelSpec`. What is the same for all architectures is read here (keys and defaults of llama.cpp's src/llama-model.cpp);
 * what differs is in one file per architecture. What we would compute wrongly is refused, never ignored.
 */
import { engineError } from '../errors.ts';
import type { GgufFile, GgufTensor } from '../gguf/types.ts';
import { bailingmoe2 } from './bailingmoe2.ts';
import { LIMITS, type Architecture, type ReadContext, type Scales } from './context.ts';
import { glm4moe } from './glm4moe.ts';
import { gptOss } from './gpt-oss.ts';
import { granitemoe } from './granitemoe.ts';
import { llama } from './llama.ts';
import { Metadata } from './metadata.ts';
import { olmoe } from './olmoe.ts';
import { qwen2moe } from './qwen2moe.ts';
import { qwen3moe } from './qwen3moe.ts';
import { readRope } from './rope.ts';
import { Tensors } from './tensors.ts';
import type { ModelSpec } from './types.ts';

const ARCHITECTURES: readonly Architecture[] = [llama, qwen2moe, qwen3moe, olmoe, bailingmoe2, glm4moe, granitemoe, gptOss];

/** As files name them in `general.architecture`. */
export const architectureNames: readonly string[] = ARCHITECTURES.map(({ name }) => name);

/**
 * Numbers and tensor places of the model in `file`; reads no weights. Throws `model.architecture`, `model.metadata` or `model.tensor`
 * with the key or tensor, what was found and what is allowed.
 */
export function readModel(file: GgufFile): ModelSpec {
  const architecture = findArchitecture(file);
  const metadata = new Metadata(file, architecture.name);
  refuseUnsupported(metadata, NEUTRAL);
  if (!architecture.readScales) refuseUnsupported(metadata, NEUTRAL_SCALES);
  const scales = architecture.readScales?.(metadata) ?? { embedding: 1, residual: 1, logits: 1 };
  const tensors = new Tensors(file);
  const context: ReadContext = { metadata, tensors, ...readWidths(metadata) };
  const trainedContextTokens = metadata.count('context_length', LIMITS.context);
  if (!architecture.slidingWindow) refuseSlidingWindow(metadata, trainedContextTokens);
  const nLayers = readLayerCount(context);

  const { embedding, vocabularySize } = readEmbedding(file, context);
  const tiedHead = architecture.mayTieHead && !tensors.has('output.weight');
  const layers = Array.from({ length: nLayers }, (_, index) => architecture.readLayer(context, index));
  const { rope, magnitude } = readRope(context, architecture, trainedContextTokens);
  const model: ModelSpec = {
    architecture: architecture.name,
    name: modelName(file),
    file,
    nLayers,
    modelWidth: context.modelWidth,
    nHeads: context.nHeads,
    nKvHeads: context.nKvHeads,
    headWidth: context.headWidth,
    vocabularySize,
    trainedContextTokens,
    ...foldResidualScale(scales, readEpsilon(metadata)),
    attentionScale: (scales.attention ?? 1 / Math.sqrt(context.headWidth)) * magnitude ** 2,
    logitScale: scales.logits,
    qkNorm: layers[0].attention.qNorm ? architecture.qkNorm : 'none',
    rope,
    embedding,
    outputNorm: tensors.vector('output_norm.weight', context.modelWidth),
    head: tiedHead ? embedding : tensors.matrix('output.weight', vocabularySize, context.modelWidth),
    tiedHead,
    layers,
  };
  tensors.refuseUnused(architecture.name);
  return model;
}

function findArchitecture(file: GgufFile): Architecture {
  const found = file.metadata.get('general.architecture');
  const supported = ARCHITECTURES.map(({ name }) => name).join(', ');
  if (typeof found !== 'string')
    throw engineError(
      'model.metadata',
      `The model file has no general.architecture; Conclave runs ${supported}. It is probably not a language model.`,
      { key: 'general.architecture', allowed: supported },
    );
  const architecture = ARCHITECTURES.find(({ name }) => name === found);
  if (architecture) return architecture;
  throw engineError(
    'model.architecture',
    `The model's architecture is "${found.slice(0, 60)}"; Conclave runs ${supported}. Choose a model of one of these.`,
    { found: found.slice(0, 60), allowed: supported },
  );
}

function readWidths(metadata: Metadata): Omit<ReadContext, 'metadata' | 'tensors'> {
  const modelWidth = metadata.count('embedding_length', LIMITS.width);
  const nHeads = metadata.count('attention.head_count', LIMITS.heads);
  const nKvHeads = metadata.optionalCount('attention.head_count_kv', LIMITS.heads) ?? nHeads;
  if (nHeads % nKvHeads !== 0) metadata.refuse('attention.head_count_kv', `a divisor of the ${nHeads} query heads is needed`);
  const headWidth = metadata.optionalCount('attention.key_length', LIMITS.width) ?? modelWidth / nHeads;
  if (!Number.isInteger(headWidth))
    metadata.refuse('attention.head_count', `a divisor of ${metadata.keyName('embedding_length')} = ${modelWidth} is needed`);
  if (headWidth % 2 !== 0) metadata.refuse('attention.key_length', 'an even head width is needed');
  const valueWidth = metadata.optionalCount('attention.value_length', LIMITS.width) ?? modelWidth / nHeads;
  if (valueWidth !== headWidth)
    metadata.refuse('attention.value_length', `keys and values need the same width, keys have ${headWidth}`);
  return { modelWidth, nHeads, nKvHeads, headWidth };
}

/** The layers that answers go through. Those behind them (`nextn_predict_layers`), which guess a token ahead in training, are left out as in llama.cpp. */
function readLayerCount({ metadata, tensors }: ReadContext): number {
  const nBlocks = metadata.count('block_count', LIMITS.layers);
  const nAhead = metadata.optionalCount('nextn_predict_layers', { least: 0, most: nBlocks - 1 }) ?? 0;
  for (let block = nBlocks - nAhead; block < nBlocks; block++) tensors.leaveOut(`blk.${block}.`);
  return nBlocks - nAhead;
}

/**
 * The residual divided by r, the scale of what blocks add to it: then they add it as it is, and every norm gives the same from the smaller row if its
 * epsilon, which stands beside the mean of squares, is divided by r².
 */
function foldResidualScale({ embedding, residual }: Scales, epsilon: number): Pick<ModelSpec, 'embeddingScale' | 'rmsEpsilon'> {
  return { embeddingScale: embedding / residual, rmsEpsilon: epsilon / residual ** 2 };
}

function readEpsilon(metadata: Metadata): number {
  const key = 'attention.layer_norm_rms_epsilon';
  const epsilon = metadata.optionalNumber(key);
  if (epsilon === undefined || epsilon < 0) metadata.refuse(key, 'a number of at least 0 is needed');
  return epsilon;
}

function readEmbedding(file: GgufFile, { tensors, modelWidth }: ReadContext): { embedding: GgufTensor; vocabularySize: number } {
  const name = 'token_embd.weight';
  const tokens = file.metadata.get('tokenizer.ggml.tokens');
  const nTokens = typeof tokens === 'object' ? tokens.length : undefined;
  const rows = nTokens ?? file.tensors.get(name)?.shape[0] ?? 0;
  return { embedding: tensors.matrix(name, rows, modelWidth), vocabularySize: rows };
}

function modelName(file: GgufFile): string {
  const name = file.metadata.get('general.name');
  if (typeof name === 'string' && name.trim()) return name.trim();
  return file.sources[0].name.replace(/\.gguf$/i, '');
}

/**
 * Numbers that would change the computation and that we do not compute with; each key's neutral values. llama.cpp ignores most of them for
 * these architectures, so there is nothing to check a computation with them against.
 */
const NEUTRAL: readonly [key: string, neutral: readonly (number | boolean)[]][] = [
  ['attn_logit_softcapping', [0]],
  ['final_logit_softcapping', [0]],
  ['attention.clamp_kqv', [0]],
  ['attention.max_alibi_bias', [0]],
  ['attention.causal', [true]],
  ['use_parallel_residual', [false]],
];
const NEUTRAL_SCALES: typeof NEUTRAL = [
  ['attention.scale', [0]],
  ['logit_scale', [0, 1]],
  ['embedding_scale', [0, 1]],
  ['residual_scale', [0, 1]],
];

function refuseUnsupported(metadata: Metadata, keys: typeof NEUTRAL): void {
  for (const [key, neutral] of keys) {
    const value = typeof neutral[0] === 'boolean' ? metadata.optionalFlag(key) : metadata.optionalNumber(key);
    if (value !== undefined && !neutral.includes(value)) metadata.refuse(key, `only ${neutral.join(' or ')} is supported`);
  }
}

/** A window at least as long as the context is no window. */
function refuseSlidingWindow(metadata: Metadata, trainedContextTokens: number): void {
  const window = metadata.optionalNumber('attention.sliding_window') ?? 0;
  if (window > 0 && window < trainedContextTokens)
    metadata.refuse('attention.sliding_window', 'sliding-window attention is not supported');
}
