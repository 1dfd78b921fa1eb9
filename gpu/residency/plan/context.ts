/**
 * The context capacity. A budget may lower it, never the type of keys and values. Where experts must share the budget, keys and values get at
 * most a quarter of what the other weights leave, so that a long context does not drive the experts out.
 */
import { largest } from './largest.ts';
import type { ContextWish, ModelNumbers } from './types.ts';

export const DEFAULT_CONTEXT_TOKENS = 4096;
/** What a short question and its answer need. */
const LEAST_TOKENS = 256;
/** Not lowered below this for the experts' sake. */
const COMFORTABLE_TOKENS = 1024;
const STEP_TOKENS = 64;
const KV_SHARE = 0.25;

export interface ChosenContext {
  readonly tokens: number;
  /** What was aimed at. */
  readonly goalTokens: number;
  readonly because: 'wish' | 'default' | 'experts' | 'floor';
}

export interface ContextTests {
  /** Whether the least plan for so many tokens is within the budget. */
  fits(contextTokens: number): boolean;
  /** Whether all experts stay on the GPU besides so many. */
  allResident(contextTokens: number): boolean;
}

/** Where nothing fits, the shortest context that is allowed: the caller refuses it. */
export function chooseContext(
  model: ModelNumbers,
  wish: ContextWish | null,
  budgetBytes: number,
  tests: ContextTests,
): ChosenContext {
  const goalTokens = wish?.tokens ?? Math.min(model.trainedContextTokens, DEFAULT_CONTEXT_TOKENS);
  const because = wish ? 'wish' : 'default';
  if (wish?.fixed || tests.allResident(goalTokens)) return { tokens: goalTokens, goalTokens, because };
  const shareBytes = model.layers.length === 0 ? Infinity : KV_SHARE * (budgetBytes - model.weightsBytes);
  const inShare = (tokens: number) => model.kvBytes(tokens) <= shareBytes;
  if (inShare(goalTokens) && tests.fits(goalTokens)) return { tokens: goalTokens, goalTokens, because };
  const least = Math.min(LEAST_TOKENS, goalTokens);
  const comfortable = Math.max(least, Math.min(COMFORTABLE_TOKENS, goalTokens));
  const shared = mostTokens(comfortable, goalTokens, inShare);
  if (tests.fits(shared)) return { tokens: shared, goalTokens, because: 'experts' };
  return { tokens: mostTokens(least, shared, (tokens) => tests.fits(tokens)), goalTokens, because: 'floor' };
}

/** The most tokens of least … most, in steps, that `fits`; `least` where none does. */
function mostTokens(least: number, most: number, fits: (tokens: number) => boolean): number {
  const steps = largest(0, Math.floor((most - least) / STEP_TOKENS), (n) => fits(least + n * STEP_TOKENS));
  return least + (steps ?? 0) * STEP_TOKENS;
}
