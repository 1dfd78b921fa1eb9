/** Sentences of a text as spans, by Intl.Segmenter, with its commonest mistakes undone (`Dr.`, `e.g.`, initials, wrapped lines). */

export interface Span {
  readonly start: number;
  readonly end: number;
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' });
/** A sentence that ends so goes on. */
const ABBREVIATION =
  /(?:^|[\s("“‘[])(?:(?:\p{Lu}|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|cf|ca|approx|e\.g|i\.e|z\.B|d\.h|No|Nr|Fig|Figs|Eq|Sec|Vol|pp|p|Inc|Ltd|Co|Corp|Gen|Col|Lt|Rev|Hon)\.)\s*$/u;
/** A line that begins so stands for itself. */
const OWN_LINE = /^\s*([-*+•▪◦●]\s|\(?\d{1,3}[.)]\s|\||>|#{1,6}\s|```|~~~)/u;

/** Spans without white space at their ends, in order. `layout`: see ParsedDocument. */
export function sentencesOf(text: string, layout: 'prose' | 'lines', from = 0, to = text.length): Span[] {
  return unitsOf(text, layout, from, to).flatMap((unit) => (layout === 'lines' ? [unit] : sentencesOfUnit(text, unit)));
}

/** Longer than a sentence of prose is. */
const LONG_CHARS = 400;

/** Sentences of a passage whose layout is not known any more: rows of a table and lines of code stand for themselves. */
export function sentencesOfPassage(text: string): (Span & { readonly isRow: boolean })[] {
  return sentencesOf(text, 'prose').flatMap((span) => {
    const lines = text.slice(span.start, span.end).split('\n');
    const areRows = lines.length > 1 && lines.every((line) => /^[^:;\n]{1,80}: \S/.test(line));
    const isCode = lines.length > 1 && span.end - span.start > LONG_CHARS;
    const parts = areRows || isCode ? sentencesOf(text, 'lines', span.start, span.end) : [span];
    return parts.map((part) => ({ ...part, isRow: areRows }));
  });
}

/** Paragraphs of prose (and list items, table rows, headings in them); lines otherwise. */
function unitsOf(text: string, layout: 'prose' | 'lines', from: number, to: number): Span[] {
  const units: Span[] = [];
  let open: Span | null = null;
  const end = () => {
    if (open) units.push(open);
    open = null;
  };
  for (let start = from; start < to;) {
    const lineEnd = text.indexOf('\n', start);
    const stop = lineEnd < 0 || lineEnd > to ? to : lineEnd;
    const line = trimmed(text, start, stop);
    if (!line) end();
    else {
      if (layout === 'lines' || OWN_LINE.test(text.slice(start, Math.min(stop, start + 40)))) end();
      open = { start: (open as Span | null)?.start ?? line.start, end: line.end };
      if (layout === 'lines') end();
    }
    start = stop + 1;
  }
  end();
  return units;
}

function sentencesOfUnit(text: string, { start, end }: Span): Span[] {
  const flat = text.slice(start, end).replace(/\n/g, ' '); // the segmenter takes a line end for the end of a sentence
  const spans: Span[] = [];
  let first: number | null = null;
  for (const { index, segment } of segmenter.segment(flat)) {
    first ??= index;
    const isLast = index + segment.length === flat.length;
    const soFar = flat.slice(Math.max(first, index + segment.length - 40), index + segment.length);
    const next = flat[index + segment.length] ?? '';
    if (
      !isLast &&
      (ABBREVIATION.test(soFar) || /^[\p{Ll},;]/u.test(next) || endsInListNumber(flat.slice(first, index + segment.length)))
    )
      continue;
    const span = trimmed(text, start + first, start + index + segment.length);
    if (span) spans.push(span);
    first = null;
  }
  return spans;
}

/** `3. The third item`: the number is not a sentence. */
function endsInListNumber(sentence: string): boolean {
  return /^\s*\(?\d{1,3}[.)]\s*$/.test(sentence);
}

export function trimmed(text: string, from: number, to: number): Span | null {
  let [start, end] = [from, to];
  while (start < end && /\s/.test(text[start])) start++;
  while (end > start && /\s/.test(text[end - 1])) end--;
  return start < end ? { start, end } : null;
}
