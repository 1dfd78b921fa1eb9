/** The options that every command takes, and their reading. */
import { KV_TYPES } from '../../../gpu/quant/kv-types.ts';
import { MAX_ROUTING_MARGIN, MIN_ROUTING_MARGIN } from '../../contract/approximate-routing.ts';
import { ADAPTER_CHOICES } from '../node/gpu.ts';
import type { CommonOptions, Flags, OptionSpec } from './command.ts';

export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { type: 'boolean', description: 'one JSON document on stdout and nothing else' },
  adapter: { type: 'string', value: ADAPTER_CHOICES.join('|'), description: 'which GPU driver to use (default auto)' },
  context: { type: 'string', value: 'N', description: 'context capacity in tokens' },
  'experts-used': { type: 'string', value: 'K', description: "experts per token instead of the model's own number" },
  'approximate-routing': {
    type: 'string',
    value: 'MARGIN',
    description: `faster, changes answers: an expert on the GPU takes the place of one elsewhere whose router logit is at most this much higher, ${MIN_ROUTING_MARGIN} to ${MAX_ROUTING_MARGIN} (default: exact)`,
  },
  'gpu-budget': {
    type: 'string',
    value: 'SIZE',
    description: 'GPU memory to use, such as 64MiB or 50% of what is free (default: chosen)',
  },
  'ram-budget': {
    type: 'string',
    value: 'SIZE',
    description: 'RAM to use for experts, such as 256MiB or 50% of what is free (default: chosen)',
  },
  'kv-type': {
    type: 'string',
    value: KV_TYPES.join('|'),
    description: 'type of the keys and values in memory (default f16): q8_0 takes half of it, f32 twice as much',
  },
  kv: { type: 'string', value: KV_TYPES.join('|'), description: 'the same as --kv-type' },
  data: { type: 'string', value: 'DIR', description: "data folder instead of the user's own" },
  help: { type: 'boolean', description: 'show this text' },
};

export function readCommonOptions(flags: Flags): CommonOptions {
  return {
    json: flags.boolean('json'),
    adapter: flags.choice('adapter', ADAPTER_CHOICES) ?? environmentAdapter() ?? 'auto',
    contextTokens: flags.integer('context', { min: 1 }),
    expertsUsed: flags.integer('experts-used', { min: 1 }),
    approximateRouting: flags.number('approximate-routing', { min: MIN_ROUTING_MARGIN, max: MAX_ROUTING_MARGIN }),
    gpuBudget: flags.budget('gpu-budget'),
    ramBudget: flags.budget('ram-budget'),
    kvType: flags.choice('kv-type', KV_TYPES) ?? flags.choice('kv', KV_TYPES) ?? 'f16',
    dataFolder: flags.string('data') ?? process.env.CONCLAVE_DATA,
  };
}

function environmentAdapter() {
  return ADAPTER_CHOICES.find((choice) => choice === process.env.CONCLAVE_ADAPTER);
}
