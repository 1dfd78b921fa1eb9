/** Rows of the parity table, on the terminal and as docs/parity.md, and the count of what passed. */
import type { Spread } from './compare.ts';

export interface Check {
  readonly name: string;
  readonly passed: boolean;
  /** What was measured against which bar. */
  readonly detail: string;
}

export interface Row {
  readonly file: string;
  readonly type: string;
  readonly positions: number;
  /** Column title → cell. */
  readonly cells: Readonly<Record<string, string>>;
  readonly checks: readonly Check[];
}

export class Report {
  readonly rows: Row[] = [];
  /** Of the GPU comparisons. */
  adapter = 'none';
  /** Reason → how many checks were left out for it. */
  readonly skips = new Map<string, number>();

  add(row: Row): void {
    this.rows.push(row);
    const cells = Object.entries(row.cells).map(([title, cell]) => `${title} ${cell}`);
    console.log(`${row.file} ${row.type}: ${cells.join(' · ')}`);
    for (const check of row.checks)
      if (!check.passed) console.log(`failed: ${row.file} ${row.type}, ${check.name}: ${check.detail}`);
  }

  skip(reason: string, count = 1): void {
    this.skips.set(reason, (this.skips.get(reason) ?? 0) + count);
  }

  get failed(): number {
    return this.rows.flatMap((row) => row.checks).filter((check) => !check.passed).length;
  }

  /** Ends with the line that test runners read. */
  print(): void {
    for (const [reason, count] of this.skips) console.log(`skipped ${count}: ${reason}`);
    const checks = this.rows.flatMap((row) => row.checks);
    const skipped = [...this.skips.values()].reduce((sum, count) => sum + count, 0);
    console.log(`${checks.length - this.failed} passed, ${this.failed} failed, ${skipped} skipped`);
  }

  /** A table of the rows that share the columns of the first. */
  markdown(rows: readonly Row[]): string {
    if (rows.length === 0) return '';
    const titles = Object.keys(rows[0].cells);
    const lines = [
      `| file | type | positions | ${titles.join(' | ')} | |`,
      `| --- | --- | --- | ${titles.map(() => '---').join(' | ')} | --- |`,
    ];
    for (const row of rows) {
      const verdict = row.checks.every((check) => check.passed) ? 'pass' : 'FAIL';
      const cells = titles.map((title) => row.cells[title] ?? '');
      lines.push(`| ${row.file} | ${row.type} | ${row.positions} | ${cells.join(' | ')} | ${verdict} |`);
    }
    return lines.join('\n');
  }
}

export function scientific(value: number): string {
  return Number.isNaN(value) ? 'NaN' : value === 0 ? '0' : value.toExponential(1);
}

export function spreadCell({ median, worst }: Spread): string {
  return `${scientific(median)} / ${scientific(worst)}`;
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(share === 1 ? 0 : 1)} %`;
}
