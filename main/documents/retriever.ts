/**
 * Finding passages for a question: one interface, so that further ways of finding (vectors) can be fused with BM25 by reciprocal rank behind
 * it. BM25 gives candidates; those that hold more of the question's words come first; near-copies of a better one are left out.
 */
import type { Passage } from '../contract/documents.ts';
import type { ReadDb } from '../database/handles.ts';
import { neighbourChunks, searchChunks, type FoundChunk } from '../database/passages.ts';
import { contentWords, matchQuery, prefixQuery } from './query.ts';
import { queryWords, stem } from './words.ts';

export interface Retriever {
  /** Best first. Empty when nothing in the collection has to do with the question. */
  retrieve(collectionId: string, question: string, limit: number): Passage[];
}

/** Candidates for each passage that is wanted. */
const CANDIDATES = 8;
/** Shared words of two passages (Jaccard) above which the second says nothing new. */
const NEAR_COPY = 0.85;
/** How much of the score is taken away from a passage that holds none of the question's words. Chosen by recall@5. */
const COVERAGE_WEIGHT = 0.5;

export class Bm25Retriever implements Retriever {
  readonly #db: ReadDb;

  constructor(db: ReadDb) {
    this.#db = db;
  }

  retrieve(collectionId: string, question: string, limit: number): Passage[] {
    const match = matchQuery(question);
    if (match === null) return [];
    let candidates = searchChunks(this.#db, collectionId, match, limit * CANDIDATES);
    const prefix = candidates.length < limit ? prefixQuery(question) : null;
    if (prefix !== null) {
      const known = new Set(candidates.map(({ seq }) => seq));
      const more = searchChunks(this.#db, collectionId, prefix, limit).filter(({ seq }) => !known.has(seq));
      const least = candidates.at(-1)?.score ?? 1;
      candidates = [...candidates, ...more.map((chunk, i) => ({ ...chunk, score: (least * 0.5) / (i + 1) }))];
    }
    const best = withoutCopies(byCoverage(candidates, question), limit);
    return this.#withNeighbours(best, limit).map(toPassage);
  }

  /** Where little was found, what stands around the best of it may still help. */
  #withNeighbours(best: readonly FoundChunk[], limit: number): readonly FoundChunk[] {
    const [first] = best;
    if (!first || best.length >= limit) return best;
    const known = new Set(best.map(({ seq }) => seq));
    const around = neighbourChunks(this.#db, first.versionSeq, first.number).filter(({ seq }) => !known.has(seq));
    const least = best.at(-1)!.score;
    return [...best, ...around.map((chunk, i) => ({ ...chunk, score: (least * 0.5) / (i + 2) }))].slice(0, limit);
  }
}

interface Candidate {
  readonly chunk: FoundChunk;
  /** Stems of its heading and text. */
  readonly words: ReadonlySet<string>;
}

/** BM25 lets one rare word outweigh three; a passage that holds more of the question is more often the right one. */
function byCoverage(chunks: readonly FoundChunk[], question: string): Candidate[] {
  const wanted = [...new Set(contentWords(question).map(stem))];
  const known = new Map<string, string>();
  const stemOf = (word: string) => {
    const found = known.get(word) ?? stem(word);
    known.set(word, found);
    return found;
  };
  const candidates = chunks.map((chunk): Candidate => {
    const words = new Set(queryWords(`${chunk.heading ?? ''} ${chunk.text}`).map(stemOf));
    const coverage = wanted.filter((word) => words.has(word)).length / wanted.length;
    return { chunk: { ...chunk, score: chunk.score * (1 - COVERAGE_WEIGHT + COVERAGE_WEIGHT * coverage) }, words };
  });
  return candidates.sort((a, b) => b.chunk.score - a.chunk.score || a.chunk.seq - b.chunk.seq);
}

function withoutCopies(candidates: readonly Candidate[], limit: number): FoundChunk[] {
  const kept: Candidate[] = [];
  for (const candidate of candidates) {
    if (kept.length === limit) break;
    if (!kept.some(({ words }) => jaccard(words, candidate.words) > NEAR_COPY)) kept.push(candidate);
  }
  return kept.map(({ chunk }) => chunk);
}

function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = [...a].filter((word) => b.has(word)).length;
  return shared / (a.size + b.size - shared || 1);
}

function toPassage({ documentId, documentTitle, page, heading, text, start, end, score }: FoundChunk): Passage {
  return { documentId, documentTitle, page, heading, text, start, end, score };
}
