/**
 * Which words may come next is four numbers, and three may name each: the user, the model's file, the app. The first of them that does
 * wins; null is "not I".
 */
export interface Sampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
}

export type SamplingKey = keyof Sampling;
export type NamedSampling = { readonly [K in SamplingKey]: number | null };

const KEYS: readonly SamplingKey[] = ['temperature', 'topP', 'topK', 'minP'];
const NAMES: Readonly<Record<SamplingKey, string>> = { temperature: 'temperature', topP: 'top-p', topK: 'top-k', minP: 'min-p' };
export const NOTHING_NAMED: NamedSampling = { temperature: null, topK: null, topP: null, minP: null };

/** Ours: mild randomness with a floor under unlikely tokens (min-p), which small models need more than top-p. */
export const APP_SAMPLING: Sampling = { temperature: 0.7, topK: 40, topP: 0.95, minP: 0.05 };

/** `named`: who may name a value, first the one who wins. `last` names all. */
export function chooseSampling(named: readonly NamedSampling[], last: Sampling): Sampling {
  const choose = (key: SamplingKey) => named.find((one) => one[key] !== null)?.[key] ?? last[key];
  return { temperature: choose('temperature'), topK: choose('topK'), topP: choose('topP'), minP: choose('minP') };
}

/** `temperature 0.7, top-k 20`; empty where nothing is named. */
export function samplingWords(named: NamedSampling): string {
  return KEYS.filter((key) => named[key] !== null)
    .map((key) => `${NAMES[key]} ${named[key]}`)
    .join(', ');
}
