/**
 * How many misses the RAM pool serves: replays routing traces through the default policy's slots and through the pool, beside one that keeps what was
 * read last: node tests/gpu/measure-ram-pool.ts TRACE.jsonl…. A prompt passes through in chunks of 64 tokens that read every expert without a slot.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { RamPool } from '../../gpu/residency/cache/ram-pool.ts';
import { fetchMissing } from '../../gpu/residency/policy/fetch-missing.ts';
import { defaultPolicy } from '../../gpu/residency/policy/policies.ts';
import type { RoutingTrace } from '../../gpu/residency/policy/trace.ts';
import { TraceParser } from '../../gpu/residency/policy/trace-format.ts';
import { percent, textTable } from '../../main/hosts/cli/text-table.ts';

const CHUNK_TOKENS = 64;

/** Whether an expert was there; then it may be. */
type Pool = (key: string, isScan: boolean) => boolean;

/** Experts of one byte each, so many of them. */
function mostAskedFor(capacity: number): Pool {
  const pool = new RamPool(capacity);
  return (key, isScan) => {
    if (pool.get(key, isScan)) return true;
    const room = pool.lend(key, 1);
    if (room) pool.put(key, room);
    return false;
  };
}

function lastRead(capacity: number): Pool {
  const held = new Set<string>();
  return (key) => {
    const wasHeld = held.delete(key);
    if (held.size >= capacity) held.delete([...held][0]);
    held.add(key);
    return wasHeld;
  };
}

function replay(trace: RoutingTrace, slotShare: number, pool: Pool) {
  const { nExperts, nUsed, layers, isPrompt, experts: all } = trace;
  const nSlots = Math.max(nUsed, Math.round(slotShare * nExperts));
  const policies = layers.map(() => defaultPolicy({ nExperts, nSlots, nUsed }));
  const slots = layers.map(() => new Set(Array.from({ length: nSlots }, (_, expert) => expert)));
  const [answers, prompts] = [
    { asked: 0, served: 0 },
    { asked: 0, served: 0 },
  ];
  const ask = (of: typeof answers, layer: number, experts: Iterable<number>) => {
    for (const expert of experts) {
      if (slots[layer].has(expert)) continue;
      of.asked++;
      if (pool(`${layer}:${expert}`, of === prompts)) of.served++;
    }
  };
  const everyone = Array.from({ length: nExperts }, (_, expert) => expert);
  let [token, inChunk] = [0, 0];
  for (; token < trace.nTokens; token++) {
    if (isPrompt[token] === 1) {
      const isEnd = ++inChunk === CHUNK_TOKENS || isPrompt[token + 1] !== 1;
      if (isEnd) inChunk = 0;
      if (isEnd) layers.forEach((_, layer) => ask(prompts, layer, everyone));
      continue;
    }
    for (let layer = 0; layer < layers.length; layer++) {
      const at = (token * layers.length + layer) * nUsed;
      const experts = all.subarray(at, at + nUsed);
      ask(answers, layer, experts);
      fetchMissing(policies[layer], slots[layer], experts, nSlots);
      policies[layer].used(experts);
    }
  }
  return { answers, prompts };
}

const share = ({ asked, served }: { readonly asked: number; readonly served: number }) => percent(served / Math.max(1, asked));

for (const file of process.argv.slice(2)) {
  const parser = new TraceParser(file);
  parser.push(readFileSync(file, 'utf8'));
  const trace = parser.end();
  const rows = [['slots', 'pool', 'last read: answers', 'prompts', 'most asked for: answers', 'prompts']];
  for (const slotShare of [0.25, 0.5])
    for (const poolShare of [0.1, 0.25, 0.5]) {
      const capacity = Math.round(poolShare * trace.nExperts * trace.layers.length);
      const outcomes = [lastRead, mostAskedFor].map((make) => replay(trace, slotShare, make(capacity)));
      rows.push([
        percent(slotShare),
        percent(poolShare),
        ...outcomes.flatMap(({ answers, prompts }) => [share(answers), share(prompts)]),
      ]);
    }
  console.log(`${path.basename(file)}: misses that the pool serves\n${textTable(rows, 0).join('\n')}`);
}
