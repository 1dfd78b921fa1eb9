/**
 * Turns a dense llama GGUF into a Mixtral-type one: each expert is a copy of the layer's FFN plus seeded noise, the router is
 * random ("sparse upcycling", Komatsuzaki et al., arXiv 2212.05055). Streams tensor by tensor: memory stays at a few chunks.
 */
import { engineError } from '../../gpu/errors.ts';
import { metadataNumber, metadataString, optionalNumber } from '../../gpu/gguf/metadata.ts';
import type { GgmlTypeName, GgufFile, GgufTensor } from '../../gpu/gguf/types.ts';
import { copyMetadata, u32Value, writeGguf, type ByteSink, type WritableTensor } from '../../gpu/gguf/write.ts';
import type { ComputeType } from '../../gpu/quant/types.ts';
import { copyTensor, expertBytes, normRms, routerBytes, standardDeviation } from './upcycle-tensors.ts';

export interface UpcycleOptions {
  readonly nExperts: number;
  readonly nExpertsUsed: number;
  /** Noise per weight as a share of the tensor's standard deviation; 0 makes exact copies. */
  readonly noise: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
  readonly onTensor?: (name: string, index: number, count: number) => void;
}

export interface UpcycleReport {
  readonly nLayers: number;
  readonly nTensors: number;
  /** Expert tensors whose type differs from the dense one's, because we have no quantiser for that. */
  readonly retyped: readonly { readonly name: string; readonly from: GgmlTypeName; readonly to: GgmlTypeName }[];
}

/** Types that noisy experts are written in; others become Q8_0. */
const KEPT_TYPES: readonly ComputeType[] = ['Q4_0', 'Q4_1', 'Q8_0', 'F16', 'F32'];
const MAX_EXPERTS = 256;
const FFN = /^blk\.(\d+)\.ffn_(gate|up|down)\.weight$/;

/**
 * Writes the upcycled model to `sink`. The same file and options give the same bytes.
 * Rejects with model.* when the file is not a dense llama, gguf.* / file.* when it cannot be read.
 */
export async function upcycle(dense: GgufFile, sink: ByteSink, options: UpcycleOptions): Promise<UpcycleReport> {
  const nLayers = checkDense(dense);
  checkOptions(options);
  const retyped: { name: string; from: GgmlTypeName; to: GgmlTypeName }[] = [];
  const tensors: WritableTensor[] = [];
  for (const tensor of dense.tensors.values()) {
    const match = FFN.exec(tensor.name);
    if (!match) {
      tensors.push({ ...tensor, data: () => copyTensor(dense, tensor, options.signal) });
      continue;
    }
    const [, layer, projection] = match;
    if (projection === 'gate') tensors.push(routerTensor(dense, Number(layer), options));
    const stacked = expertTensor(dense, tensor, `blk.${layer}.ffn_${projection}_exps.weight`, options);
    if (stacked.type !== tensor.type) retyped.push({ name: stacked.name, from: tensor.type, to: stacked.type });
    tensors.push(stacked);
  }
  const metadata = copyMetadata(dense);
  for (const key of metadata.keys()) if (key.startsWith('split.')) metadata.delete(key); // the parts become one file
  metadata.set('llama.expert_count', u32Value(options.nExperts));
  metadata.set('llama.expert_used_count', u32Value(options.nExpertsUsed));
  await writeGguf({ metadata, tensors: tensors.map((tensor, i) => announced(tensor, i, tensors.length, options)) }, sink);
  return { nLayers, nTensors: tensors.length, retyped };
}

function announced(tensor: WritableTensor, index: number, count: number, { onTensor }: UpcycleOptions): WritableTensor {
  const { data } = tensor;
  return {
    ...tensor,
    data() {
      onTensor?.(tensor.name, index, count);
      return typeof data === 'function' ? data() : [data];
    },
  };
}

function expertTensor(dense: GgufFile, tensor: GgufTensor, name: string, options: UpcycleOptions): WritableTensor {
  const noisyType = KEPT_TYPES.find((kept) => kept === tensor.type) ?? 'Q8_0';
  return {
    name,
    shape: [options.nExperts, ...tensor.shape],
    type: options.noise === 0 ? tensor.type : noisyType,
    async *data() {
      const { noise, seed, signal } = options;
      const sigma = noise === 0 ? 0 : noise * (await standardDeviation(dense, tensor, signal));
      for (let index = 0; index < options.nExperts; index++) {
        if (noise === 0) yield* copyTensor(dense, tensor, signal);
        else yield* expertBytes(dense, tensor, { index, type: noisyType, sigma, seed }, signal);
      }
    },
  };
}

function routerTensor(dense: GgufFile, layer: number, options: UpcycleOptions): WritableTensor {
  const width = metadataNumber(dense, 'llama.embedding_length', { min: 1, integer: true });
  const name = `blk.${layer}.ffn_gate_inp.weight`;
  return {
    name,
    shape: [options.nExperts, width],
    type: 'F32',
    async *data() {
      const rms = await normRms(dense, `blk.${layer}.ffn_norm.weight`);
      yield routerBytes(options.seed, name, options.nExperts, width, rms);
    },
  };
}

/** The number of layers. */
function checkDense(dense: GgufFile): number {
  const architecture = metadataString(dense, 'general.architecture');
  if (architecture !== 'llama') {
    throw engineError(
      'model.architecture',
      `Only dense models of architecture llama can be upcycled; this one is ${architecture}.`,
      {
        architecture,
      },
    );
  }
  const nExperts = optionalNumber(dense, 'llama.expert_count') ?? 0;
  if (nExperts > 0) {
    throw engineError('model.metadata', `This model already has ${nExperts} experts per layer; give a dense one.`, {
      field: 'llama.expert_count',
      found: nExperts,
    });
  }
  const nLayers = metadataNumber(dense, 'llama.block_count', { min: 1, max: 4096, integer: true });
  for (let layer = 0; layer < nLayers; layer++) {
    for (const projection of ['gate', 'up', 'down']) {
      const name = `blk.${layer}.ffn_${projection}.weight`;
      if (dense.tensors.get(name)?.shape.length !== 2) {
        throw engineError('model.tensor', `The model lacks the matrix ${name}, so it is no dense llama.`, { tensor: name });
      }
      const bias = `blk.${layer}.ffn_${projection}.bias`;
      if (dense.tensors.has(bias)) {
        throw engineError('model.tensor', `The model has ${bias}, which experts of a Mixtral-type model cannot have.`, {
          tensor: bias,
        });
      }
    }
  }
  return nLayers;
}

function checkOptions({ nExperts, nExpertsUsed, noise, seed }: UpcycleOptions): void {
  const refuse = (option: string, found: number, allowed: string) => {
    throw engineError('model.metadata', `${option} is ${found}; ${allowed} is allowed.`, { field: option, found, allowed });
  };
  const whole = (value: number, min: number, max: number) => Number.isInteger(value) && value >= min && value <= max;
  if (!whole(nExperts, 2, MAX_EXPERTS)) refuse('The number of experts', nExperts, `2 to ${MAX_EXPERTS}`);
  if (!whole(nExpertsUsed, 1, nExperts)) refuse('The number of experts used', nExpertsUsed, `1 to ${nExperts}`);
  if (!(noise >= 0 && noise <= 10)) refuse('The noise', noise, '0 to 10');
  if (!whole(seed, 0, 2 ** 32 - 1)) refuse('The seed', seed, '0 to 4294967295');
}
