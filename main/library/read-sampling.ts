/**
 * What a model's file says of choosing words: the keys `general.sampling.*`, which llama.cpp's converters write from the maker's
 * generation_config.json (llama.h, LLAMA_MODEL_META_KEY_SAMPLING_*; top-k as an integer, the others as f32). A value that cannot be
 * used is advice that is not followed, never a reason to refuse a model.
 */
import * as v from 'valibot';
import type { GgufFile, GgufValue } from '../../gpu/gguf/types.ts';
import type { NamedSampling, SamplingKey } from '../contract/sampling.ts';
import { SAMPLING_SCHEMAS } from '../contract/schema-parts.ts';

const FIELDS: Readonly<Record<SamplingKey, { readonly field: string; readonly allowed: string }>> = {
  temperature: { field: 'general.sampling.temp', allowed: 'a number from 0 to 10' },
  topK: { field: 'general.sampling.top_k', allowed: 'a whole number up to 256' },
  topP: { field: 'general.sampling.top_p', allowed: 'a number above 0 and up to 1' },
  minP: { field: 'general.sampling.min_p', allowed: 'a number from 0 and below 1' },
};
const MAX_SHOWN_CHARS = 40;

/** Never throws. `notes`: a sentence for each value that is there and not used. */
export function readSampling({ metadata }: Pick<GgufFile, 'metadata'>): {
  readonly named: NamedSampling;
  readonly notes: readonly string[];
} {
  const notes: string[] = [];
  const read = (key: SamplingKey): number | null => {
    const { field, allowed } = FIELDS[key];
    const found = metadata.get(field);
    if (found === undefined) return null;
    const value = typeof found === 'number' ? shortest(found) : found;
    const parsed = v.safeParse(SAMPLING_SCHEMAS[key], key === 'topK' && isOff(value) ? 0 : value);
    if (parsed.success) return parsed.output;
    notes.push(`The file's ${field} is ${shown(value)}, which is not used: ${allowed} is.`);
    return null;
  };
  return { named: { temperature: read('temperature'), topK: read('topK'), topP: read('topP'), minP: read('minP') }, notes };
}

/** Makers write -1 where others write 0. */
function isOff(value: GgufValue): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value < 0;
}

/** 0.7 rather than the 0.699999988079071 that its f32 reads as: the shortest decimal with the same f32. */
function shortest(value: number): number {
  if (Math.fround(value) !== value) return value;
  for (let digits = 1; digits < 9; digits++) {
    const decimal = Number(value.toPrecision(digits));
    if (Math.fround(decimal) === value) return decimal;
  }
  return value;
}

function shown(value: GgufValue): string {
  if (typeof value === 'object') return `a list of ${value.length} values`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}
