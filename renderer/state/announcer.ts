/**
 * What a screen reader is told about a streaming answer: whole sentences, gathered so that it is never interrupted by each
 * token. The text is plain; a live region shows `value`.
 */
import type { Clock } from './clock.ts';
import { Store } from './store.ts';

/** Long enough for a sentence to be read before the next is offered. */
const GATHER_MS = 4000;
/** Characters offered at once. Who wants to hear more reads the answer itself. */
const MOST_CHARS = 600;

export class Announcer extends Store<string> {
  readonly #clock: Clock;
  #answerId: string | null = null;
  #thinkingId: string | null = null;
  #said = 0;
  #text = '';
  #waiting = false;

  constructor(clock: Clock) {
    super('');
    this.#clock = clock;
  }

  say(sentence: string): void {
    this.set(sentence);
  }

  /** Once for each answer; the thoughts themselves are read where they are unfolded. */
  thinking(answerId: string): void {
    if (answerId === this.#thinkingId) return;
    this.#thinkingId = answerId;
    this.set('The model is thinking.');
  }

  /** A text shorter than what was said is another one: what seemed to be the answer were thoughts. */
  streamed(answerId: string, text: string): void {
    if (answerId !== this.#answerId || text.length < this.#said) {
      this.#answerId = answerId;
      this.#said = 0;
    }
    this.#text = text;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#clock.after(GATHER_MS, () => {
      this.#waiting = false;
      this.#flush(lastSentenceEnd(this.#text));
    });
  }

  finished(answerId: string, text: string, ending: string): void {
    if (answerId !== this.#answerId) this.#said = 0;
    this.#answerId = null;
    const rest = short(plain(text.slice(this.#said)));
    this.#said = 0;
    this.#text = '';
    this.set(rest === '' ? ending : `${rest} ${ending}`);
  }

  #flush(end: number): void {
    if (this.#answerId === null || end <= this.#said) return;
    this.set(short(plain(this.#text.slice(this.#said, end))));
    this.#said = end;
  }
}

function lastSentenceEnd(text: string): number {
  const ends = [...text.matchAll(/[.!?…。！？]["')\]]*\s|\n\n/g)];
  const last = ends.at(-1);
  return last ? last.index + last[0].length : 0;
}

function short(text: string): string {
  return text.length <= MOST_CHARS ? text : `${text.slice(0, MOST_CHARS)}…`;
}

function plain(markdown: string): string {
  return markdown
    .replace(/```[^\n]*\n?/g, ' ')
    .replace(/[*_`#>|]+/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}
