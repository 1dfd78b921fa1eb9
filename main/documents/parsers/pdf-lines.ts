/**
 * Text items of a PDF page → lines → paragraphs. A PDF knows where glyphs stand, not what a paragraph is: lines are put together by their
 * base line, paragraphs by the distance of lines, headings by their size against the document's usual one. Pure.
 */

/** As PDF.js gives it: `transform` is [a, b, c, d, x, y] in points, y upwards. */
export interface TextItem {
  readonly str: string;
  readonly transform: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly hasEOL: boolean;
}

export interface Line {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly right: number;
  /** Font size in points. */
  readonly size: number;
}

export interface Block {
  readonly text: string;
  readonly size: number;
}

export function linesOf(items: readonly TextItem[]): Line[] {
  const lines: Line[] = [];
  let text = '';
  let open = null as { x: number; y: number; right: number; size: number } | null;
  const end = () => {
    const trimmed = text.replace(/\s+/g, ' ').trim();
    if (open && trimmed !== '') lines.push({ ...open, text: trimmed });
    text = '';
    open = null;
  };
  for (const { str, transform, width, height, hasEOL } of items) {
    const [, , c, d, x, y] = transform;
    const size = Math.hypot(c, d) || height;
    if (open && str.trim() !== '' && Math.abs(y - open.y) > 0.5 * Math.max(size, open.size)) end();
    if (str !== '') {
      if (open && x - open.right > 0.2 * size && !/\s$/.test(text) && !/^\s/.test(str)) text += ' ';
      text += str;
      if (str.trim() !== '')
        open = open
          ? { ...open, right: Math.max(open.right, x + width), size: Math.max(open.size, size) }
          : { x, y, right: x + width, size };
    }
    if (hasEOL) end();
  }
  end();
  return lines;
}

/** The size that most characters have, in half points. */
export function usualSize(pages: readonly (readonly Line[])[]): number {
  const chars = new Map<number, number>();
  for (const { size, text } of pages.flat()) {
    const rounded = Math.round(size * 2) / 2;
    chars.set(rounded, (chars.get(rounded) ?? 0) + text.length);
  }
  return [...chars].reduce((best, entry) => (entry[1] > best[1] ? entry : best), [0, 0])[0];
}

/**
 * Running heads, running feet and page numbers: first and last lines that come back (but for their digits) on half of the pages. Returns
 * the pages without them.
 */
export function withoutRunningLines(pages: readonly (readonly Line[])[]): Line[][] {
  const shape = ({ text, y }: Line) => `${text.replace(/\d+/g, '#')}@${Math.round(y / 4)}`;
  const outer = (lines: readonly Line[]) => {
    const byHeight = [...lines].sort((a, b) => b.y - a.y);
    return new Set([...byHeight.slice(0, 2), ...byHeight.slice(-2)]);
  };
  const seen = new Map<string, number>();
  for (const lines of pages) for (const key of new Set([...outer(lines)].map(shape))) seen.set(key, (seen.get(key) ?? 0) + 1);
  const least = Math.max(3, pages.length / 2);
  return pages.map((lines) => {
    const edges = outer(lines);
    return lines.filter((line) => !edges.has(line) || (seen.get(shape(line)) ?? 0) < least);
  });
}

/** Lines of one page → paragraphs, hyphens at line ends undone. */
export function blocksOf(lines: readonly Line[]): Block[] {
  const gaps = lines.slice(1).map((line, i) => lines[i].y - line.y);
  const usualGap = median(gaps.filter((gap, i) => gap > 0 && gap < 3 * lines[i].size));
  const rightEdge = Math.max(...lines.map((line) => line.right));
  const blocks: { text: string; size: number }[] = [];
  for (const [i, line] of lines.entries()) {
    const block = blocks.at(-1);
    if (block && i > 0 && continues(lines[i - 1], line, usualGap, rightEdge)) block.text = joined(block.text, line.text);
    else blocks.push({ text: line.text, size: line.size });
  }
  return blocks;
}

function continues(previous: Line, line: Line, usualGap: number, rightEdge: number): boolean {
  if (Math.abs(previous.size - line.size) > 0.1 * Math.max(previous.size, line.size)) return false;
  if (/^([•▪◦●–*-]|\(?\d{1,3}[.)])\s/u.test(line.text)) return false;
  const gap = previous.y - line.y;
  const isShort = previous.right < rightEdge - 0.25 * (rightEdge - previous.x);
  const endsSentence = /[.!?:。！？]["'”’)\]]*$/u.test(previous.text);
  if (gap <= 0) return !endsSentence; // the next column
  if (usualGap > 0 && gap > 1.4 * usualGap) return false;
  return !(isShort && endsSentence);
}

/** `exam-` and `ple` are one word; `well-` and `Known` are not. CJK text has no spaces between lines. */
export function joined(before: string, after: string): string {
  if (/\p{L}-$/u.test(before) && /^\p{Ll}/u.test(after)) return before.slice(0, -1) + after;
  const isCjk =
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]$/u.test(before) &&
    /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(after);
  return isCjk ? before + after : `${before} ${after}`;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
