/**
 * Marks sentences in a drawn block. A sentence is given as it stands in the markdown; it is found by its letters and digits alone,
 * so that formatting, citations and list numbers do not matter. One that is not found is left out: the mark is an addition.
 */
import type { Span } from '../state/documents-text.ts';

export interface Place {
  /** Index of a run, and the half-open part of it. */
  readonly run: number;
  readonly start: number;
  readonly end: number;
}

const LETTER = /[\p{L}\p{N}]/u;

/** Where `sentence` stands in the runs of a block's text, in order; empty when it is not there. */
export function findSentence(runs: readonly string[], sentence: string): readonly Place[] {
  const wanted = lettersOf([plain(sentence)]).text;
  if (wanted === '') return [];
  const letters = lettersOf(runs);
  let at = letters.text.indexOf(wanted);
  while (at >= 0 && isInsideWord(runs, letters.places[at])) at = letters.text.indexOf(wanted, at + 1);
  if (at < 0) return [];
  const first = letters.places[at];
  const last = letters.places[at + wanted.length - 1];
  const places: Place[] = [];
  for (let run = first.run; run <= last.run; run++) {
    const start = run === first.run ? first.at : 0;
    const end = run === last.run ? endOfSentence(runs[run], last.at) : runs[run].length;
    if (runs[run].slice(start, end).trim() !== '') places.push({ run, start, end });
  }
  return places;
}

/** Wraps what is found in `<span class="unsupported">`. Text inside buttons (citations) is not looked at. */
export function markSentences(root: DocumentFragment, sentences: readonly string[]): void {
  for (const sentence of sentences) {
    const nodes = textNodes(root);
    const places = findSentence(
      nodes.map(({ data }) => data),
      sentence,
    );
    for (const { run, start, end } of places) {
      const part = nodes[run].splitText(start);
      part.splitText(end - start);
      const mark = document.createElement('span');
      mark.className = 'unsupported';
      mark.title = 'No passage supports this sentence.';
      part.replaceWith(mark);
      mark.append(part);
    }
  }
}

/** `sentence` of every span that has text in the part of `source` from `start` to `end`. */
export function sentencesWithin(source: string, spans: readonly Span[], start: number, end: number): readonly string[] {
  return spans
    .filter((span) => span.start < end && span.end > start)
    .map((span) => source.slice(Math.max(span.start, start), Math.min(span.end, end)));
}

function textNodes(root: DocumentFragment): Text[] {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found: Text[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    if (!node.parentElement?.closest('button')) found.push(node as Text);
  return found;
}

function isInsideWord(runs: readonly string[], { run, at }: { run: number; at: number }): boolean {
  return at > 0 && LETTER.test(runs[run][at - 1]);
}

function lettersOf(runs: readonly string[]): { text: string; places: { run: number; at: number }[] } {
  let text = '';
  const places: { run: number; at: number }[] = [];
  for (const [run, words] of runs.entries()) {
    let at = 0;
    for (const character of words) {
      if (LETTER.test(character)) {
        const lower = character.toLowerCase();
        text += lower;
        for (let unit = 0; unit < lower.length; unit++) places.push({ run, at });
      }
      at += character.length;
    }
  }
  return { text, places };
}

/** Without what markdown draws differently: list numbers, citations, addresses of links. */
function plain(sentence: string): string {
  return sentence
    .replace(/^\s*(?:[-*+>]|#{1,6}|\d{1,9}[.)])\s+/, '')
    .replace(/\[\d{1,3}\](?!\()/g, '')
    .replace(/\]\([^)]*\)/g, ']');
}

/** Past the full stop and closing quotes. */
function endOfSentence(text: string, lastLetter: number): number {
  const rest = text.slice(lastLetter + 1);
  return lastLetter + 1 + (/^[\p{M}\p{P}]*/u.exec(rest)?.[0].length ?? 0);
}
