/** The default policy on recorded routing (tests/golden/routing): near the best of the others, and no farther from Belady than it was. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { comparePolicies, POLICY_NAMES } from './compare.ts';
import { defaultPolicyName } from './policies.ts';
import type { PromptRole } from './simulate.ts';
import { TraceParser } from './trace-format.ts';

function recorded(name: string) {
  const parser = new TraceParser(name);
  parser.push(readFileSync(new URL(`../../../tests/golden/routing/${name}`, import.meta.url), 'utf8'));
  return parser.end();
}

/** `most`: misses ÷ Belady's, a little above what was measured when the default was chosen. */
test.each<[name: string, prompt: PromptRole, nSlots: number, most: number]>([
  ['smollm2-upcycled.jsonl', 'warm', 4, 1.4],
  ['smollm2-upcycled.jsonl', 'warm', 6, 1.25],
  ['smollm2-upcycled.jsonl', 'warm', 8, 1.25],
  ['starter-chat.jsonl', 'demand', 4, 1.4],
  ['starter-chat.jsonl', 'demand', 6, 1.6],
  ['starter-chat.jsonl', 'demand', 8, 1.8],
])('%s, prompt %s, %i slots: misses at most %f × Belady', (name, prompt, nSlots, most) => {
  const results = comparePolicies(recorded(name), { nSlots, names: POLICY_NAMES, prompt });
  const of = (policy: string) => results.find((result) => result.policy === policy)!;
  const best = Math.min(...['lru', 'lfu', 'lfru'].map((policy) => of(policy).simulation.misses));
  console.log(
    `${name}, ${nSlots} slots: ` +
      results.map((r) => `${r.policy} ${r.missesOverBelady.toFixed(2)} (${r.pointsBehind.toFixed(1)})`).join(', '),
  );
  expect(of(defaultPolicyName).missesOverBelady).toBeLessThanOrEqual(most);
  expect(of(defaultPolicyName).simulation.misses).toBeLessThanOrEqual(1.07 * best);
});
