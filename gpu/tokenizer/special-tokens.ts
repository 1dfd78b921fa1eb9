/**
 * Finding special tokens in text. As in llama.cpp, tokens are taken longest first over the whole text (not leftmost first), each one's
 * occurrences from left to right in what longer ones left free. One pass of a trie finds all candidates, so the number
 * of special tokens in the vocabulary does not multiply the work.
 */
import { TokenType, type Vocabulary } from './vocabulary.ts';

export interface SpecialMatch {
  readonly start: number;
  readonly end: number;
  readonly id: number;
}

/** Whether token `id` may be read at `[start, end)` of the text. */
export type SpecialFilter = (id: number, start: number, end: number) => boolean;

interface TrieNode {
  /** Place of the token in the order; -1 where none ends. */
  place: number;
  readonly children: Map<number, TrieNode>;
}

/** Texts longer than this are not looked for: a limit on the work a hostile vocabulary can ask for. */
const LONGEST_SPECIAL = 256;

export class SpecialTokens {
  private readonly root: TrieNode = { place: -1, children: new Map() };
  /** The special tokens by falling length in bytes, then by id: the order in which they are taken. */
  private readonly ordered: readonly number[];
  private readonly texts: Vocabulary['texts'];

  constructor(vocabulary: Vocabulary) {
    const ids: number[] = [];
    for (let id = 0; id < vocabulary.size; id++) {
      const type = vocabulary.types[id];
      const text = vocabulary.texts[id];
      const special = type === TokenType.control || type === TokenType.userDefined || type === TokenType.unknown;
      if (special && text !== null && text !== '' && text.length <= LONGEST_SPECIAL) ids.push(id);
    }
    const lengths = new Map(ids.map((id) => [id, vocabulary.rawBytes(id).length]));
    ids.sort((a, b) => lengths.get(b)! - lengths.get(a)! || a - b);
    this.ordered = ids;
    this.texts = vocabulary.texts;
    ids.forEach((id, place) => this.insert(vocabulary.texts[id]!, place));
  }

  /** Matches in text order, none overlapping. */
  find(text: string, filter: SpecialFilter): SpecialMatch[] {
    const taken = new Uint8Array(text.length);
    const matches: SpecialMatch[] = [];
    for (const [place, starts] of this.candidates(text, filter)) {
      const id = this.ordered[place];
      const length = this.texts[id]!.length;
      for (const start of starts) {
        // What was taken before is at least as long in bytes, so where it overlaps it covers one of the two ends.
        const end = start + length;
        if (taken[start] || taken[end - 1]) continue;
        taken.fill(1, start, end);
        matches.push({ start, end, id });
      }
    }
    return matches.sort((a, b) => a.start - b.start);
  }

  /** Place of a token in the order → where its text begins, both rising. */
  private candidates(text: string, filter: SpecialFilter): [place: number, starts: number[]][] {
    const startsOf = new Map<number, number[]>();
    if (this.root.children.size === 0) return [];
    for (let start = 0; start < text.length; start++) {
      let node = this.root.children.get(text.charCodeAt(start));
      for (let end = start + 1; node; end++) {
        if (node.place >= 0 && filter(this.ordered[node.place], start, end)) {
          const starts = startsOf.get(node.place);
          if (starts) starts.push(start);
          else startsOf.set(node.place, [start]);
        }
        node = end < text.length ? node.children.get(text.charCodeAt(end)) : undefined;
      }
    }
    return Array.from(startsOf).sort(([a], [b]) => a - b);
  }

  private insert(text: string, place: number): void {
    let node = this.root;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let child = node.children.get(unit);
      if (!child) node.children.set(unit, (child = { place: -1, children: new Map() }));
      node = child;
    }
    if (node.place < 0) node.place = place; // of equal texts the lower id comes first
  }
}
