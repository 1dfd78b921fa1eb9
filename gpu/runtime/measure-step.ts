/**
 * How long a token takes on this device with every expert at hand, measured with the decode plan itself before the first answer: absent experts are made
 * to look present by pointing their rows of the slot table at slots that are there. What it computes is thrown away; the sequence is empty.
 */
import { measureReadback } from '../device/probe-links.ts';
import { lowerQuartile } from '../lower-quartile.ts';
import type { Residency } from '../residency/cache/residency.ts';
import type { DecodePlan } from './decode-plan.ts';
import type { PlanContext } from './plan-context.ts';

/** As if so many tokens had gone before: attention of a short conversation. */
const POSITION = 128;
/** Rounds of so many tokens; fewer where they take longer than `MOST_MS` together. */
const ROUNDS = 11;
const TOKENS = 2;
const MOST_MS = 500;

/** Milliseconds per token, read-back not included. Rejects with `gpu.device-lost`. */
export async function measureStepMs(context: PlanContext, decode: DecodePlan, residency: Residency | null): Promise<number> {
  const { gpu } = context;
  const readbackMs = await measureReadback(gpu);
  const position = Math.min(POSITION, context.contextTokens - 1);
  const run = async (tokens: number) => {
    const startMs = performance.now();
    for (let i = 0; i < tokens; i++) {
      decode.setState(position, 0);
      const encoder = gpu.device.createCommandEncoder({ label: 'step' });
      const pass = encoder.beginComputePass({ label: 'step' });
      decode.encode(pass, { position, step: 0 });
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
    }
    await gpu.idle();
    return Math.max(1e-3, performance.now() - startMs - readbackMs) / tokens;
  };
  residency?.pretendAllPresent();
  try {
    await run(1); // drivers compile at a first dispatch
    const rounds = [await run(1)];
    for (let ms = rounds[0]; rounds.length < ROUNDS && ms < MOST_MS; ms += TOKENS * rounds[rounds.length - 1])
      rounds.push(await run(TOKENS));
    return lowerQuartile(rounds);
  } finally {
    residency?.writeTable();
  }
}
