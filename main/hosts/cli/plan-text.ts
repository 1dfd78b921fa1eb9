/** A plan for the experts as a table for people: where the bytes are, why, and what it should bring. */
import { mebibytes, percent } from '../../../gpu/residency/plan/words.ts';
import type { OffloadPlan } from '../../../gpu/residency/plan/types.ts';

export function planText(plan: OffloadPlan): string {
  const { gpu, ram, prediction: p } = plan;
  const sizes: [string, string][] = [
    ['GPU', `${mebibytes(gpu.totalBytes)} of ${mebibytes(gpu.budgetBytes)} (the least is ${mebibytes(plan.leastGpuBytes)})`],
    ['  weights', mebibytes(gpu.weightsBytes)],
    ['  experts', mebibytes(gpu.expertsBytes)],
    ['  keys and values', `${mebibytes(gpu.kvBytes)} as ${plan.kvType}`],
    ['  activations', mebibytes(gpu.activationsBytes)],
    ['  staging', mebibytes(gpu.stagingBytes)],
    ['RAM pool', ram.poolBytes === 0 ? 'none' : `${mebibytes(ram.poolBytes)} of ${mebibytes(ram.budgetBytes)}`],
    ['Disk only', mebibytes(plan.diskBytes)],
  ];
  const reasons = plan.reasons.map(({ topic, choice, why }): [string, string] => [topic, `${choice}. ${why}`]);
  const expected: [string, string][] = [
    [
      'Speed',
      `about ${rate(p.tokensPerSecond)} tokens/s (${rate(p.fromTokensPerSecond)} to ${rate(p.toTokensPerSecond)}), prompts ${rate(p.promptTokensPerSecond)}`,
    ],
    ['Hit rate', `${percent(p.hitRate)} (${p.hitRateSource})`],
    [
      'Per token',
      `${p.computeMs.toFixed(1)} ms computing, ${p.waitMs.toFixed(1)} ms asking (${p.readbacksPerToken.toFixed(1)} read-backs), ${p.transferMs.toFixed(1)} ms bringing experts`,
    ],
    [
      'Experts brought',
      `${p.missesFromRamPerToken.toFixed(1)} from RAM, ${p.missesFromDiskPerToken.toFixed(1)} from disk per token (${mebibytes(p.bytesUploadedPerToken)})`,
    ],
    ...p.assumptions.map((text): [string, string] => ['Assumed', text]),
  ];
  return ['Where it would live', ...table(sizes), '', 'Why', ...table(reasons), '', 'What to expect', ...table(expected)].join(
    '\n',
  );
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.map(([label, text]) => `  ${label.padEnd(width)}${text}`);
}

function rate(perSecond: number): string {
  return perSecond >= 100 ? perSecond.toFixed(0) : perSecond.toFixed(1);
}
