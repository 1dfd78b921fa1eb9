/** Counts of verdicts with 95 % Wilson intervals, as a table for people. */
import type { Verdict } from './case.ts';

export interface Row {
  readonly name: string;
  readonly n: number;
  readonly right: number;
  readonly near: number;
  readonly rate: number;
  /** 95 % Wilson score interval of the rate. */
  readonly low: number;
  readonly high: number;
}

export function row(name: string, verdicts: readonly Verdict[]): Row {
  const right = verdicts.filter((verdict) => verdict === 'right').length;
  const near = verdicts.filter((verdict) => verdict === 'near').length;
  return { name, n: verdicts.length, right, near, rate: right / Math.max(1, verdicts.length), ...wilson(right, verdicts.length) };
}

/** Wilson, "Probable inference, the law of succession, and statistical inference" (1927). */
export function wilson(right: number, n: number, z = 1.959964): { low: number; high: number } {
  if (n === 0) return { low: 0, high: 1 };
  const p = right / n;
  const scale = 1 + (z * z) / n;
  const centre = p + (z * z) / (2 * n);
  const spread = z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return { low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}

export function tableText(rows: readonly Row[]): string {
  const percent = (x: number) => (100 * x).toFixed(1).padStart(5);
  const width = Math.max(4, ...rows.map(({ name }) => name.length));
  const head = `${'task'.padEnd(width)}      n  right   near   rate   95 %`;
  const lines = rows.map(
    ({ name, n, right, near, rate, low, high }) =>
      `${name.padEnd(width)} ${String(n).padStart(6)} ${String(right).padStart(6)} ${String(near).padStart(6)}  ${percent(rate)}  ${percent(low)} … ${percent(high)}`,
  );
  return [head, ...lines].join('\n');
}
