import { expect, test } from 'vitest';
import { killAnswers, MOMENTS } from './kill-answers.ts';

/** `KILL_ROUNDS=20 SEED=1` for the figure in the documentation. */
const ROUNDS = Number(process.env.KILL_ROUNDS ?? MOMENTS.length);
const SEED = Number(process.env.SEED ?? 3);

test(
  `killed ${ROUNDS} times around an answer, nothing is lost and nothing is there twice (seed ${SEED})`,
  { timeout: 60_000 + ROUNDS * 15_000 },
  async () => {
    const report = await killAnswers(ROUNDS, SEED);
    console.log(JSON.stringify(report));
    expect(report.faults).toEqual([]);
    expect(report.interrupted).toBeGreaterThan(0);
  },
);
