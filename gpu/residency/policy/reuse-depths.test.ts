/** The curve of reuse depths is the hit rate of a recency cache with as many slots, for every number of slots. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lru } from './lru.ts';
import { defaultPolicy } from './policies.ts';
import { hitCurveOf, ReuseDepths } from './reuse-depths.ts';
import { simulate } from './simulate.ts';
import { TraceParser } from './trace-format.ts';

test.each(['starter-chat', 'smollm2-upcycled'])('%s', (name) => {
  const parser = new TraceParser(name);
  parser.push(readFileSync(new URL(`../../../tests/golden/routing/${name}.jsonl`, import.meta.url), 'utf8'));
  const trace = parser.end();
  const { nExperts, nUsed, layers, nTokens } = trace;
  const depths = new ReuseDepths(layers.length, nExperts);
  const uses = new Array<number>(nExperts).fill(0);
  const width = layers.length * nUsed;
  for (let token = 0; token < nTokens; token++) depths.add(trace.experts.subarray(token * width, (token + 1) * width), uses);
  const curve = hitCurveOf(uses);
  expect(curve).toHaveLength(nExperts);
  for (const [share, hit] of curve) {
    const nSlots = Math.round(share * nExperts);
    if (nSlots < nUsed) continue;
    const with_ = (policy: typeof lru) => simulate(trace, { nSlots, policy, prompt: 'demand', start: 'filled' }).hitRate;
    expect(Math.abs(hit - with_(lru)), `${nSlots} slots, least recently used`).toBeLessThan(0.02);
    expect(Math.abs(hit - with_(defaultPolicy)), `${nSlots} slots, default policy`).toBeLessThan(0.06);
  }
});
