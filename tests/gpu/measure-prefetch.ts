/**
 * Would it pay to bring experts before a token asks for them? Replays routing traces through the default policy with and without a forecast that
 * may bring a few experts a layer: node tests/gpu/measure-prefetch.ts TRACE.jsonl…. What matters is misses saved for each expert brought.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fetchMissing } from '../../gpu/residency/policy/fetch-missing.ts';
import { defaultPolicy } from '../../gpu/residency/policy/policies.ts';
import type { RoutingTrace } from '../../gpu/residency/policy/trace.ts';
import { TraceParser } from '../../gpu/residency/policy/trace-format.ts';

/** Learns what tokens use, layer by layer in order, and says how likely an expert is to be asked for next. */
interface Forecast {
  /** Before `layer` is asked for its experts. */
  score(layer: number, expert: number): number;
  used(layer: number, experts: readonly number[]): void;
}
type ForecastName = 'frequency' | 'frequency, before an answer' | 'previous layer' | 'previous token';
const HALF_LIFE_TOKENS = 128;

function forecast(name: ForecastName, { layers, nExperts }: RoutingTrace): Forecast {
  const last = layers.map((): readonly number[] => []);
  const counts = layers.map(() => Array.from({ length: nExperts + 1 }, () => new Float64Array(nExperts)));
  /** Rows of `counts` that speak for a layer: of all tokens, of the experts that the layer before just used, of those of the token before. */
  const rows = (layer: number): readonly number[] => {
    if (name.startsWith('frequency') || (name === 'previous layer' && layer === 0)) return [nExperts];
    return last[name === 'previous layer' ? layer - 1 : layer];
  };
  return {
    score: (layer, expert) => rows(layer).reduce((sum, row) => sum + counts[layer][row][expert], 0),
    used(layer, experts) {
      for (const row of rows(layer)) {
        const count = counts[layer][row];
        for (let expert = 0; expert < nExperts; expert++) count[expert] *= 2 ** (-1 / HALF_LIFE_TOKENS);
        for (const expert of experts) count[expert]++;
      }
      last[layer] = experts;
    },
  };
}

interface Outcome {
  readonly misses: number;
  readonly brought: number;
  /** Of those, asked for before they left. */
  readonly used: number;
}

/** Every layer may bring up to `most` experts before each token, or once between a prompt and its answer; never for one that one of the last two tokens used. Answers only. */
function replay(trace: RoutingTrace, nSlots: number, name: ForecastName, most: number): Outcome {
  const { nExperts, nUsed, layers } = trace;
  const forecasts = forecast(name, trace);
  const policies = layers.map(() => defaultPolicy({ nExperts, nSlots, nUsed }));
  const resident = layers.map(() => new Set(Array.from({ length: nSlots }, (_, expert) => expert)));
  const waiting = layers.map(() => new Set<number>());
  const recent = layers.map((): (readonly number[])[] => [[], []]);
  let [misses, brought, used] = [0, 0, 0];
  for (let token = 0; token < trace.nTokens; token++) {
    for (let layer = 0; layer < layers.length; layer++) {
      const at = (token * layers.length + layer) * nUsed;
      const experts = [...trace.experts.subarray(at, at + nUsed)];
      if (trace.isPrompt[token] === 0) {
        const keep = new Set(recent[layer].flat());
        const isTime = name !== 'frequency, before an answer' || (token > 0 && trace.isPrompt[token - 1] === 1);
        for (let i = 0; isTime && i < most; i++) if (bring(layer, keep)) brought++;
        for (const expert of experts) if (waiting[layer].delete(expert)) used++;
        misses += fetchMissing(policies[layer], resident[layer], experts, nSlots);
        for (const expert of waiting[layer]) if (!resident[layer].has(expert)) waiting[layer].delete(expert);
        policies[layer].used(experts);
        recent[layer] = [recent[layer][1], experts];
      }
      forecasts.used(layer, experts);
    }
  }
  return { misses, brought, used };

  function bring(layer: number, keep: ReadonlySet<number>): boolean {
    const leavers = [...resident[layer]].filter((expert) => !keep.has(expert));
    if (leavers.length === 0) return false;
    const score = (expert: number) => forecasts.score(layer, expert);
    const absent = Array.from({ length: nExperts }, (_, expert) => expert).filter((expert) => !resident[layer].has(expert));
    const best = absent.reduce((a, b) => (score(b) > score(a) ? b : a));
    const worst = leavers.reduce((a, b) => (score(b) < score(a) ? b : a));
    if (score(best) <= score(worst)) return false;
    resident[layer].delete(worst);
    waiting[layer].delete(worst);
    resident[layer].add(best);
    waiting[layer].add(best);
    return true;
  }
}

for (const file of process.argv.slice(2)) {
  const parser = new TraceParser(file);
  parser.push(readFileSync(file, 'utf8'));
  const trace = parser.end();
  for (const share of [0.25, 0.5]) {
    const nSlots = Math.max(trace.nUsed, Math.round(share * trace.nExperts));
    const without = replay(trace, nSlots, 'frequency', 0).misses;
    for (const name of ['frequency', 'frequency, before an answer', 'previous token', 'previous layer'] as const)
      for (const most of name === 'frequency, before an answer' ? [2, nSlots] : [1, 2]) {
        const { misses, brought, used } = replay(trace, nSlots, name, most);
        const per = (n: number) => (brought > 0 ? (n / brought).toFixed(2) : '–');
        console.log(
          `${path.basename(file)}, ${nSlots} of ${trace.nExperts} slots, by ${name}, up to ${most} a layer: misses ${without} → ${misses}, ` +
            `brought ${brought}, used before they left ${per(used)}, misses saved per expert brought ${per(without - misses)}`,
        );
      }
  }
}
