/** Tables and shares in the commands' plain output. */

/** Rows of cells as lines: the first `nLeft` columns left-aligned, the others right-aligned. */
export function textTable(rows: readonly (readonly string[])[], nLeft: number): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < nLeft ? cell.padEnd(widths[column]) : cell.padStart(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}

/** 0.256 → `25.6 %`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
