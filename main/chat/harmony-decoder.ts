/**
 * Answers of models that speak Harmony (gpt-oss): a row of messages, each on a channel, between special tokens. What is on the channel `final`, and
 * what names none, is the answer; the others (`analysis`, `commentary`) are thoughts and come out as `<think> … </think>` in front of it, as with
 * models that write these tags (contract/thoughts.ts). Told by ids, so that no text can pass for a marker. Format: OpenAI's Harmony guide.
 */
import type { IncrementalDecoder, Tokenizer } from '../../gpu/tokenizer/types.ts';

const MARKERS = { start: '<|start|>', channel: '<|channel|>', message: '<|message|>', end: '<|end|>' } as const;
type Marker = keyof typeof MARKERS;

const OPENING = '<think>\n';
const CLOSING = '\n</think>\n\n';
const BETWEEN = '\n\n';
/** UTF-16 units: what goes on without a marker is no header, but the answer of a model that leaves headers out. */
const LONGEST_HEADER = 200;

/** The tokenizer's own decoder where its vocabulary has no Harmony. */
export function answerDecoder(tokenizer: Tokenizer): IncrementalDecoder {
  const markers = markerIds(tokenizer);
  return markers ? new HarmonyDecoder(tokenizer.decoder(), markers) : tokenizer.decoder();
}

function markerIds(tokenizer: Tokenizer): ReadonlyMap<number, Marker> | null {
  const ids = new Map<number, Marker>();
  for (const [marker, text] of Object.entries(MARKERS) as [Marker, string][]) {
    const found = tokenizer.encode(text, { parseSpecial: true, addSpecial: false });
    if (found.length !== 1 || tokenizer.tokenBytes(found[0]).length > 0) return null; // no control token
    ids.set(found[0], marker);
  }
  return ids;
}

class HarmonyDecoder implements IncrementalDecoder {
  readonly #text: IncrementalDecoder;
  readonly #markers: ReadonlyMap<number, Marker>;
  /** The prompt ends inside of the header of the answer's first message. */
  #place: 'header' | 'channel' | 'thoughts' | 'answer' | 'between' = 'header';
  /** Of a header, as far as it came. */
  #header = '';
  #channel = '';
  #hasMarkers = false;
  /** What came out last, and whether the message in hand has given something. */
  #written: 'nothing' | 'thoughts' | 'answer' = 'nothing';
  #begun = false;

  constructor(text: IncrementalDecoder, markers: ReadonlyMap<number, Marker>) {
    this.#text = text;
    this.#markers = markers;
  }

  push(id: number): string {
    const marker = this.#markers.get(id);
    if (marker === undefined) return this.#take(this.#text.push(id));
    const rest = this.#take(this.#text.flush());
    this.#hasMarkers = true;
    this.#turn(marker);
    return rest;
  }

  flush(): string {
    const rest = this.#take(this.#text.flush());
    return rest + (this.#hasMarkers ? '' : this.#withoutHeader());
  }

  #turn(marker: Marker): void {
    this.#begun = false;
    if (marker === 'message') {
      const [name = ''] = this.#channel.trim().split(/\s/); // behind it a recipient may stand
      this.#place = name === '' || name === 'final' ? 'answer' : 'thoughts';
      return;
    }
    this.#place = ({ start: 'header', channel: 'channel', end: 'between' } as const)[marker];
    this.#channel = '';
  }

  #take(text: string): string {
    if (text === '') return '';
    if (this.#place === 'thoughts') return this.#thought(text);
    if (this.#place === 'answer') return this.#answer(text);
    if (this.#place === 'channel') this.#channel += text;
    if (this.#place !== 'header' || this.#hasMarkers) return '';
    this.#header += text;
    return this.#header.length > LONGEST_HEADER ? this.#withoutHeader() : '';
  }

  #withoutHeader(): string {
    const text = this.#header;
    this.#header = '';
    this.#place = 'answer';
    return text === '' ? '' : this.#answer(text);
  }

  /** Thoughts behind the answer's first word are left out, as those of servers. */
  #thought(text: string): string {
    if (this.#written === 'answer') return '';
    const before = this.#written === 'nothing' ? OPENING : this.#begun ? '' : BETWEEN;
    this.#written = 'thoughts';
    this.#begun = true;
    return before + text;
  }

  #answer(text: string): string {
    const before = this.#written === 'thoughts' ? CLOSING : this.#written === 'answer' && !this.#begun ? BETWEEN : '';
    this.#written = 'answer';
    this.#begun = true;
    return before + text;
  }
}
