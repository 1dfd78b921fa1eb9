/** What is in a GGUF file, in numbers: for people (`cli inspect`) and for the library's facts. Reads no weights, judges nothing. */
import { metadataString, optionalNumber, optionalNumbers, optionalString } from '../../gpu/gguf/metadata.ts';
import type { ModelDetails } from '../contract/downloads.ts';
import { readSampling } from './read-sampling.ts';
import type { GgmlTypeName, GgufFile, GgufTensor } from '../../gpu/gguf/types.ts';

export interface ModelDescription {
  readonly name: string;
  readonly architecture: string;
  readonly ggufVersion: number;
  readonly parts: number;
  readonly sizeBytes: number;
  readonly nTensors: number;
  readonly dimensions: ModelDimensions;
  readonly parameters: { readonly total: number; readonly active: number };
  /** Bytes and tensors of each type, most bytes first. */
  readonly types: readonly { readonly type: GgmlTypeName; readonly tensors: number; readonly bytes: number }[];
  /** All routed experts together, and one of them; null for a dense model. */
  readonly experts: ModelDetails['experts'];
  readonly tokenizer: {
    readonly model: string | null;
    readonly preTokenizer: string | null;
    readonly tokens: number;
  };
  /** `file`: the model brings its own chat template. */
  readonly templateSource: 'file' | 'fallback';
  readonly sampling: ModelDetails['sampling'];
}

/** null where the file does not say. Widths that differ between layers are given for the first. */
export interface ModelDimensions {
  readonly layers: number | null;
  readonly modelWidth: number | null;
  readonly heads: number | null;
  readonly kvHeads: number | null;
  readonly headWidth: number | null;
  readonly feedForwardWidth: number | null;
  readonly expertWidth: number | null;
  readonly sharedExpertWidth: number | null;
  readonly vocabulary: number | null;
  readonly trainedContextTokens: number | null;
}

/** Stacked (`ffn_up_exps`) and, in older files, one tensor per expert (`ffn_up.3.weight`). */
const STACKED_EXPERTS = /^blk\.(\d+)\.ffn_(?:gate|up|down|gate_up)_exps\./;
const SINGLE_EXPERT = /^blk\.(\d+)\.ffn_(?:gate|up|down)\.\d+\.weight$/;

/** Throws `model.metadata` only where "general.architecture" is missing or a value has an impossible kind. */
export function describeModel(file: GgufFile): ModelDescription {
  const architecture = metadataString(file, 'general.architecture');
  const tensors = [...file.tensors.values()];
  const dimensions = readDimensions(file, architecture);
  const count = optionalNumber(file, `${architecture}.expert_count`) ?? 0;
  const used = optionalNumber(file, `${architecture}.expert_used_count`) ?? 0;
  const expertTensors = tensors.filter((tensor) => STACKED_EXPERTS.test(tensor.name) || SINGLE_EXPERT.test(tensor.name));
  const total = sum(tensors, parameterCount);
  const inExperts = sum(expertTensors, parameterCount);
  return {
    name: optionalString(file, 'general.name') ?? file.sources[0].name.replace(/\.gguf$/i, ''),
    architecture,
    ggufVersion: file.version,
    parts: file.sources.length,
    sizeBytes: file.sizeBytes,
    nTensors: tensors.length,
    dimensions,
    parameters: { total, active: count > 0 ? Math.round(total - inExperts + (inExperts * used) / count) : total },
    types: typeTable(tensors),
    experts: count > 0 ? { ...expertFacts(expertTensors, count, used), ...readGroups(file, architecture) } : null,
    tokenizer: {
      model: optionalString(file, 'tokenizer.ggml.model') ?? null,
      preTokenizer: optionalString(file, 'tokenizer.ggml.pre') ?? null,
      tokens: vocabularyLength(file),
    },
    templateSource: optionalString(file, 'tokenizer.chat_template') === undefined ? 'fallback' : 'file',
    sampling: readSampling(file),
  };
}

const sum = <T>(items: readonly T[], value: (item: T) => number) => items.reduce((total, item) => total + value(item), 0);
const parameterCount = (tensor: GgufTensor) => tensor.shape.reduce((product, length) => product * length, 1);

function readDimensions(file: GgufFile, architecture: string): ModelDimensions {
  const number = (key: string): number | null => {
    const value = file.metadata.get(`${architecture}.${key}`);
    if (typeof value === 'object') return optionalNumbers(file, `${architecture}.${key}`)?.[0] ?? null;
    return optionalNumber(file, `${architecture}.${key}`) ?? null;
  };
  const modelWidth = number('embedding_length');
  const heads = number('attention.head_count');
  return {
    layers: number('block_count'),
    modelWidth,
    heads,
    kvHeads: number('attention.head_count_kv') ?? heads,
    headWidth: number('attention.key_length') ?? (modelWidth !== null && heads ? modelWidth / heads : null),
    feedForwardWidth: number('feed_forward_length'),
    expertWidth: number('expert_feed_forward_length'),
    sharedExpertWidth: number('expert_shared_feed_forward_length'),
    vocabulary: file.tensors.get('token_embd.weight')?.shape[0] ?? null,
    trainedContextTokens: number('context_length'),
  };
}

function typeTable(tensors: readonly GgufTensor[]): ModelDescription['types'] {
  const rows = new Map<GgmlTypeName, { type: GgmlTypeName; tensors: number; bytes: number }>();
  for (const tensor of tensors) {
    const row = rows.get(tensor.type) ?? { type: tensor.type, tensors: 0, bytes: 0 };
    rows.set(tensor.type, { ...row, tensors: row.tensors + 1, bytes: row.bytes + tensor.sizeBytes });
  }
  return [...rows.values()].sort((a, b) => b.bytes - a.bytes);
}

function expertFacts(expertTensors: readonly GgufTensor[], count: number, used: number) {
  const bytes = sum(expertTensors, (tensor) => tensor.sizeBytes);
  const layers = new Set(expertTensors.map((tensor) => tensor.name.split('.')[1])).size;
  return { count, used, bytes, bytesPerExpert: layers > 0 ? Math.round(bytes / (layers * count)) : 0 };
}

function readGroups(file: GgufFile, architecture: string): Pick<NonNullable<ModelDescription['experts']>, 'groups'> {
  const count = optionalNumber(file, `${architecture}.expert_group_count`) ?? 1;
  const used = optionalNumber(file, `${architecture}.expert_group_used_count`) ?? count;
  return count > 1 ? { groups: { count, used } } : {};
}

function vocabularyLength(file: GgufFile): number {
  const tokens = file.metadata.get('tokenizer.ggml.tokens');
  return typeof tokens === 'object' ? tokens.length : 0;
}
