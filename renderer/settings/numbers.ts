/** The numeric settings: what each means, what may be typed, and how typed text becomes a value. */
import { MAX_ROUTING_MARGIN, MIN_ROUTING_MARGIN } from '../../main/contract/approximate-routing.ts';
import { MAX_EXPERTS_USED } from '../../main/contract/experts-used.ts';
import type { SamplingKey } from '../../main/contract/sampling.ts';
import type { Settings } from '../../main/contract/types.ts';

export type NumberSetting =
  | SamplingKey
  | 'seed'
  | 'maxAnswerTokens'
  | 'expertsUsed'
  | 'contextTokens'
  | 'gpuBudgetBytes'
  | 'ramBudgetBytes'
  | 'approximateRouting';

export interface NumberField {
  readonly key: NumberSetting;
  readonly label: string;
  readonly help: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** The setting is typed and shown in this unit of it, such as MiB of bytes; absent: as it is. */
  readonly unit?: number;
  /** What an empty field means; null: it must be filled. */
  readonly empty: string | null;
  /** What emptying it does, on the button that does. */
  readonly reset?: string;
}

export const ANSWERS: readonly NumberField[] = [
  {
    key: 'temperature',
    label: 'Temperature',
    help: '0 always takes the likeliest word; higher is freer.',
    min: 0,
    max: 2,
    step: 0.05,
    empty: 'as the model says',
  },
  {
    key: 'topP',
    label: 'Top-p',
    help: 'Only the likeliest words that together reach this share. 1 is off.',
    min: 0.01,
    max: 1,
    step: 0.01,
    empty: 'as the model says',
  },
  {
    key: 'topK',
    label: 'Top-k',
    help: 'Only this many likeliest words. 0 is off.',
    min: 0,
    max: 256,
    step: 1,
    empty: 'as the model says',
  },
  {
    key: 'minP',
    label: 'Min-p',
    help: 'Only words at least this likely, relative to the likeliest. 0 is off.',
    min: 0,
    max: 0.99,
    step: 0.01,
    empty: 'as the model says',
  },
  {
    key: 'seed',
    label: 'Seed',
    help: 'The same seed and question give the same answer.',
    min: 0,
    max: 4_294_967_295,
    step: 1,
    empty: 'new each time',
    reset: 'A new one each time',
  },
  {
    key: 'maxAnswerTokens',
    label: 'Longest answer',
    help: 'Tokens; a token is about three quarters of a word.',
    min: 1,
    max: 131_072,
    step: 1,
    empty: null,
  },
];

/** What a loaded model was planned by. */
export const LOADING: readonly NumberField[] = [
  {
    key: 'contextTokens',
    label: 'Context',
    help: 'Tokens the model can look back on. More needs more memory.',
    min: 128,
    max: 1_048_576,
    step: 1,
    empty: 'chosen by Conclave',
    reset: 'Let Conclave choose',
  },
  {
    key: 'gpuBudgetBytes',
    label: 'GPU memory',
    help: 'MiB that a model may take. Experts beyond it wait in RAM or in the file; answers stay the same.',
    min: 1,
    max: 2 ** 24,
    step: 1,
    unit: 2 ** 20,
    empty: 'chosen by Conclave',
    reset: 'Let Conclave choose',
  },
  {
    key: 'ramBudgetBytes',
    label: 'RAM for experts',
    help: 'MiB for experts that have no place on the GPU. 0: they are read from the file.',
    min: 0,
    max: 2 ** 24,
    step: 1,
    unit: 2 ** 20,
    empty: 'chosen by Conclave',
    reset: 'Let Conclave choose',
  },
  {
    key: 'approximateRouting',
    label: 'Approximate routing (faster, changes answers)',
    help: 'Where an expert is not on the GPU, one that is there answers instead if the model finds it at most this much worse, in units of its router: 0.1 is little, 1 is much. Empty: exact.',
    min: MIN_ROUTING_MARGIN,
    max: MAX_ROUTING_MARGIN,
    step: 0.01,
    empty: 'off, exact',
    reset: 'Turn it off',
  },
];

/** `nExperts`: of the chosen model; null where it is not known. */
export function expertsField(nExperts: number | null): NumberField {
  return {
    key: 'expertsUsed',
    label: 'Experts per token',
    help: `${nExperts === null ? '' : `Of ${nExperts} in each layer. `}Fewer are quicker and know less; more are slower and seldom help, as the model learned with its own number.`,
    min: 1,
    max: nExperts ?? MAX_EXPERTS_USED,
    step: 1,
    empty: 'as the model says',
  };
}

export type Parsed = { readonly ok: true; readonly change: Partial<Settings> } | { readonly ok: false; readonly problem: string };

export function parseNumber(field: NumberField, typed: string): Parsed {
  const text = typed.trim().replace(',', '.');
  if (text === '')
    return field.empty === null
      ? { ok: false, problem: `${field.label} needs a value.` }
      : { ok: true, change: { [field.key]: null } };
  const value = Number(text);
  const whole = field.step === 1;
  if (!Number.isFinite(value) || value < field.min || value > field.max || (whole && !Number.isInteger(value)))
    return {
      ok: false,
      problem: `${field.label} is a ${whole ? 'whole ' : ''}number from ${field.min} to ${field.max}; “${typed.trim()}” is not.`,
    };
  return { ok: true, change: { [field.key]: value * (field.unit ?? 1) } };
}

/** The setting as it stands in its field. */
export function shownNumber({ unit = 1 }: NumberField, value: number | null): string {
  return value === null ? '' : String(unit === 1 ? value : Math.round(value / unit));
}
