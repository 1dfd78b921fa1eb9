/**
 * What the app itself finds out about an answer over documents, whatever the model says: citations that point nowhere are taken out,
 * sentences without support are marked, the sentence of the passages that supports best is quoted. Pure.
 */
import type { Evidence, Passage } from '../contract/documents.ts';
import { ABSENT_ANSWER } from '../chat/document-prompt.ts';
import { checkCitations, citedIn, withoutCitations } from './citations.ts';
import { claimOf, coverage, support, termsOf, type Claim } from './claims.ts';
import { sentencesOf, sentencesOfPassage, type Span } from './sentences.ts';

/** Of `support`: from here a sentence counts as supported. */
const SUPPORTED = 0.55;
/** Of `relevance`: from here a sentence answers the question, even where the model says that nothing does. */
const ANSWERS = 0.8;

const ASKS_FOR_NUMBER =
  /\b(when|how (?:many|much|high|long|old|far|big|tall|deep|wide|often|heavy)|(?:what|which) (?:year|date|day|number))\b/i;
const NUMBER_BONUS = 0.15;
const PRONOUN = /^(it|its|he|his|she|her|they|their|this|these|that|those)\b/i;
const hasNumber = (terms: ReadonlySet<string>) => [...terms].some((term) => /\p{N}/u.test(term));

export type EvidencePassage = Pick<Passage, 'text' | 'start' | 'page' | 'heading' | 'documentTitle'>;

export interface CheckedAnswer {
  /** The answer without invalid citations. */
  readonly content: string;
  readonly evidence: Evidence;
}

interface Candidate {
  /** From 1. */
  readonly passage: number;
  readonly span: Span;
  readonly terms: ReadonlySet<string>;
  /** With those of the sentence before, where this one begins with a pronoun. */
  readonly told: ReadonlySet<string>;
  readonly around: ReadonlySet<string>;
}

export function checkAnswer(answer: string, question: string, passages: readonly EvidencePassage[]): CheckedAnswer {
  const { text: content, removed: removedCitations } = checkCitations(answer, passages.length);
  const asked = claimOf(question);
  const candidates = passages.flatMap(candidatesOf);
  const relevance = ({ told, around }: Candidate) => 0.8 * coverage(asked, told) + 0.2 * coverage(asked, around);
  const wantsNumber = ASKS_FOR_NUMBER.test(question);
  const likeliest = (candidate: Candidate) => {
    const score = relevance(candidate);
    return score > 0 && wantsNumber && hasNumber(candidate.terms) ? score + NUMBER_BONUS : score;
  };
  const quoteOf = (found: Candidate | null) => (found ? quote(passages[found.passage - 1], found) : null);
  if (isAbsent(content)) {
    const best = strongest(candidates, likeliest)?.candidate ?? null;
    const evidence = { removedCitations, unsupportedSentences: [] };
    return best && relevance(best) >= ANSWERS && asked.terms.size > 1
      ? { content, evidence: { ...evidence, verdict: 'unsupported', quote: quoteOf(best) } }
      : { content, evidence: { ...evidence, verdict: 'absent', quote: null } };
  }
  const claims = claimsIn(content);
  const judged = claims.map(({ span, claim, cited }) => {
    const score = ({ terms, around }: Candidate) => support(claim, asked, terms, around);
    const anywhere = strongest(candidates, score);
    if (cited.length === 0) return { span, best: anywhere, anywhere };
    const inCited = candidates.filter(({ passage }) => cited.includes(passage));
    return { span, best: strongest(inCited, score), anywhere };
  });
  const supported = judged.flatMap(({ best }) => (best && best.score >= SUPPORTED ? [best] : []));
  const best =
    supported.reduce<Best | null>((a, b) => (a && a.score >= b.score ? a : b), null) ?? strongest(candidates, likeliest);
  return {
    content,
    evidence: {
      verdict: supported.length > 0 ? 'supported' : 'unsupported',
      quote: quoteOf(best?.candidate ?? null),
      removedCitations,
      unsupportedSentences: judged.filter(({ anywhere }) => (anywhere?.score ?? 0) < SUPPORTED).map(({ span }) => span),
    },
  };
}

/** Nothing was found at all: the model is not asked. */
export const NO_EVIDENCE: Evidence = { verdict: 'absent', quote: null, removedCitations: 0, unsupportedSentences: [] };

/** The model said that the documents do not hold the answer, in the words it was told to use. */
export function isAbsent(answer: string): boolean {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim();
  return plain(withoutCitations(answer)).startsWith(plain(ABSENT_ANSWER));
}

interface Best {
  readonly candidate: Candidate;
  readonly score: number;
}

/** Of equals the first: passages come best first. */
function strongest(candidates: readonly Candidate[], score: (candidate: Candidate) => number): Best | null {
  let best: Best | null = null;
  for (const candidate of candidates) {
    const found = score(candidate);
    if (found > (best?.score ?? 0)) best = { candidate, score: found };
  }
  return best;
}

function candidatesOf({ text, heading, documentTitle }: EvidencePassage, index: number): Candidate[] {
  const above = `${documentTitle} ${heading ?? ''}`;
  const around = termsOf(`${above} ${text}`);
  const spans = sentencesOfPassage(text);
  const terms = spans.map(({ start, end }) => termsOf(text.slice(start, end)));
  return spans.map((span, i) => {
    const leans = i > 0 && PRONOUN.test(text.slice(span.start, span.end));
    const told = leans ? new Set([...terms[i], ...terms[i - 1]]) : terms[i];
    // A row of a table says nothing about the others.
    const near = span.isRow ? new Set([...terms[i], ...termsOf(above)]) : around;
    return { passage: index + 1, span, terms: terms[i], told, around: near };
  });
}

function quote({ text, start, page }: EvidencePassage, { passage, span }: Candidate): Evidence['quote'] {
  return { passage, text: text.slice(span.start, span.end), start: start + span.start, end: start + span.end, page };
}

/** Sentences of an answer that claim something, with their citations: those that follow the full stop belong to the sentence before. */
function claimsIn(content: string): { span: Span; claim: Claim; cited: readonly number[] }[] {
  const found: { span: Span; claim: Claim; cited: readonly number[] }[] = [];
  for (const span of sentencesOf(content, 'prose')) {
    let { start } = span;
    const lead = /^(?:\s*\[\d{1,4}\])+\s*/.exec(content.slice(start, span.end))?.[0] ?? '';
    const previous = found.at(-1);
    if (lead !== '' && previous) {
      const end = start + lead.trimEnd().length;
      found[found.length - 1] = {
        ...previous,
        span: { start: previous.span.start, end },
        cited: [...previous.cited, ...citedIn(lead)],
      };
      start += lead.length;
    }
    if (start >= span.end) continue;
    const text = content.slice(start, span.end);
    const claim = claimOf(withoutCitations(text));
    if (claim.terms.size > 0 && !/:\s*$/.test(text)) found.push({ span: { start, end: span.end }, claim, cited: citedIn(text) });
  }
  return found;
}
