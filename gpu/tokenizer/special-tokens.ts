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
  id: number;
  readonly children: Map<number, TrieNode>;
}

/** Texts longer than this are not looked for: a limit on the work a hostile vocabulary can ask for. */
const LONGEST_SPECIAL = 256;

export class SpecialTokens {
  private readonly root: TrieNode = { id: -1, children: new Map() };
  /** Place of a token when sorted by falling length in bytes, then by id. */
  private readonly order = new Map<number, number>();

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
    ids.forEach((id, place) => {
      this.order.set(id, place);
      this.insert(vocabulary.texts[id]!, id);
    });
  }

  /** Matches in text order, none overlapping. */
  find(text: string, filter: SpecialFilter): SpecialMatch[] {
    const candidates = this.candidates(text, filter);
    if (candidates.length === 0) return candidates;
    candidates.sort((a, b) => this.order.get(a.id)! - this.order.get(b.id)! || a.start - b.start);
    const taken = new Uint8Array(text.length);
    const matches = candidates.filter(({ start, end }) => {
      for (let i = start; i < end; i++) if (taken[i]) return false;
      taken.fill(1, start, end);
      return true;
    });
    return matches.sort((a, b) => a.start - b.start);
  }

  private candidates(text: string, filter: SpecialFilter): SpecialMatch[] {
    const found: SpecialMatch[] = [];
    if (this.root.children.size === 0) return found;
    for (let start = 0; start < text.length; start++) {
      let node = this.root.children.get(text.charCodeAt(start));
      for (let end = start + 1; node; end++) {
        if (node.id >= 0 && filter(node.id, start, end)) found.push({ start, end, id: node.id });
        node = end < text.length ? node.children.get(text.charCodeAt(end)) : undefined;
      }
    }
    return found;
  }

  private insert(text: string, id: number): void {
    let node = this.root;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let child = node.children.get(unit);
      if (!child) node.children.set(unit, (child = { id: -1, children: new Map() }));
      node = child;
    }
    if (node.id < 0) node.id = id; // texts are sorted: of equal ones the lower id comes first
  }
}
