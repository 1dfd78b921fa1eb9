/** The policies by name, and which one the engine takes. */
import type { CachePolicyFactory } from '../types.ts';
import { adaptive } from './adaptive.ts';
import { LFRU_DEFAULTS, lfru, lfruWith } from './lfru.ts';
import { lfu } from './lfu.ts';
import { lru } from './lru.ts';

/**
 * What `adaptive` chooses between: each was the best somewhere (docs/offload-policy.md). Frequency that no protection disturbs for natural
 * text, pure recency where nothing but recency tells anything, guarded LFRU for answers that repeat themselves.
 */
const CANDIDATES: readonly CachePolicyFactory[] = [
  lfruWith({ ...LFRU_DEFAULTS, frequencyHalfLifeTokens: 128, protectedTokens: 0 }),
  lru,
  lfru,
];

/** Those that need no future; Belady (belady.ts) is only for simulations. */
export const ONLINE_POLICIES = { lru, lfu, lfru, adaptive: adaptive(CANDIDATES) } as const satisfies Readonly<
  Record<string, CachePolicyFactory>
>;

export type OnlinePolicyName = keyof typeof ONLINE_POLICIES;

/** Chosen by misses ÷ Belady's on recorded traces (docs/offload-policy.md). */
export const defaultPolicyName: OnlinePolicyName = 'adaptive';
export const defaultPolicy: CachePolicyFactory = ONLINE_POLICIES[defaultPolicyName];
