/** How many experts of each layer work on a token: the user's number where the model has so many, else the model's own. */
import type { ModelFacts } from './types.ts';

/** Above any model's number of experts that is known. */
export const MAX_EXPERTS_USED = 4096;

export interface ExpertsUsed {
  /** null: the model's own number. */
  readonly used: number | null;
  /** Why it is not the number that was asked for, for people; null where it is. */
  readonly notice: string | null;
}

export function expertsUsedBy(
  { nExperts, nExpertsUsed, nExpertsReached }: Pick<ModelFacts, 'nExperts' | 'nExpertsUsed' | 'nExpertsReached'>,
  wanted: number | null,
): ExpertsUsed {
  if (wanted === null || nExperts === 0) return { used: null, notice: null };
  const most = nExpertsReached ?? nExperts;
  if (wanted <= most) return { used: wanted, notice: null };
  return {
    used: null,
    notice: `${wanted} experts per token are set, but this model has ${most} in a layer${most < nExperts ? ' that a token can reach' : ''}, so it uses its own number, ${nExpertsUsed}.`,
  };
}
