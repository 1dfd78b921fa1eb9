/** The policies by name, and which one the engine takes. */
import type { CachePolicyFactory } from '../types.ts';
import { lfru } from './lfru.ts';
import { lfu } from './lfu.ts';
import { lru } from './lru.ts';

/** Those that need no future; Belady (belady.ts) is only for simulations. */
export const ONLINE_POLICIES = { lru, lfu, lfru } as const satisfies Readonly<Record<string, CachePolicyFactory>>;

export type OnlinePolicyName = keyof typeof ONLINE_POLICIES;

/** Chosen by misses ÷ Belady's on recorded traces (docs/offload-policy.md). */
export const defaultPolicyName: OnlinePolicyName = 'lfru';
export const defaultPolicy: CachePolicyFactory = ONLINE_POLICIES[defaultPolicyName];
