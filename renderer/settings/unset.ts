/** Who names a value that the user left open: said in the empty field, and on the button that empties it again. */
import { APP_SAMPLING, type SamplingKey } from '../../main/contract/sampling.ts';
import type { ModelFacts } from '../../main/contract/types.ts';
import type { NumberField, NumberSetting } from './numbers.ts';

/** The chosen model, as far as settings depend on it; null: none, or its file has not been read. */
export type SettingsModel = { readonly kind: 'server' } | { readonly kind: 'file'; readonly facts: ModelFacts } | null;

export interface Unset {
  readonly placeholder: string;
  readonly reset: string;
}

/** null: the field must be filled. */
export function unsetField(field: NumberField, model: SettingsModel): Unset | null {
  if (isSampling(field.key)) return unsetSampling(field.key, model);
  if (field.key === 'expertsUsed') return unsetExperts(model);
  return field.empty === null ? null : { placeholder: field.empty, reset: field.reset ?? 'Empty' };
}

function isSampling(key: NumberSetting): key is SamplingKey {
  return key in APP_SAMPLING;
}

function unsetSampling(key: SamplingKey, model: SettingsModel): Unset {
  if (model?.kind === 'server')
    return key === 'temperature' || key === 'topP'
      ? { placeholder: 'the server’s', reset: 'Back to the server’s' }
      : { placeholder: 'not sent to servers', reset: 'Empty' };
  const named = model?.facts.sampling?.[key] ?? null;
  const value = named ?? APP_SAMPLING[key];
  return named === null
    ? { placeholder: `${value}, Conclave’s own`, reset: `Back to Conclave’s ${value}` }
    : { placeholder: `${value}, from the model`, reset: `Back to the model’s ${value}` };
}

function unsetExperts(model: SettingsModel): Unset {
  if (model?.kind === 'server') return { placeholder: 'not for servers', reset: 'Empty' };
  if (model === null) return { placeholder: 'as the model says', reset: 'Back to the model’s own' };
  const { nExperts, nExpertsUsed } = model.facts;
  if (nExperts === 0) return { placeholder: 'this model has none', reset: 'Empty' };
  return { placeholder: `${nExpertsUsed}, from the model`, reset: `Back to the model’s ${nExpertsUsed}` };
}
