/**
 * Server-Sent Events from a stranger's bytes (WHATWG HTML, "Interpreting an event stream"): any line ending, pieces cut anywhere, comments
 * and unknown fields skipped. One addition: llama.cpp's field `error`, kept as a field of its own. A line or event has a largest size.
 */
import { serviceError } from '../contract/errors.ts';

/** UTF-16 units. A token is some hundred; the largest real events carry usage and log probabilities. */
export const MAX_EVENT_CHARS = 1024 * 1024;

export interface ServerSentEvent {
  readonly field: 'data' | 'error';
  readonly text: string;
}

export class ServerSentEvents {
  readonly #decoder = new TextDecoder();
  #line: string[] = [];
  #lineChars = 0;
  #data: string[] = [];
  #dataChars = 0;
  #afterReturn = false;

  /** The events that these bytes complete. Throws `remote.not-compatible` when one outgrows the limit. */
  push(bytes: Uint8Array): ServerSentEvent[] {
    return this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What the end completes: a last event without its empty line counts, for servers that forget it. */
  end(): ServerSentEvent[] {
    return [...this.#take(this.#decoder.decode()), ...this.#endLine(), ...this.#dispatch()];
  }

  #take(text: string): ServerSentEvent[] {
    const events: ServerSentEvent[] = [];
    let start = 0;
    for (const { index, 0: ending } of text.matchAll(/\r\n|\r|\n/g)) {
      // The \n of a \r\n that was cut in two ended its line already.
      const isSecondHalf = index === 0 && ending === '\n' && this.#afterReturn;
      this.#afterReturn = false;
      if (!isSecondHalf) {
        this.#addToLine(text.slice(start, index));
        events.push(...this.#endLine());
      }
      start = index + ending.length;
    }
    if (text !== '') this.#afterReturn = text.endsWith('\r');
    this.#addToLine(text.slice(start));
    return events;
  }

  #addToLine(piece: string): void {
    this.#lineChars += piece.length;
    if (this.#lineChars > MAX_EVENT_CHARS) throw tooLong();
    if (piece !== '') this.#line.push(piece);
  }

  #endLine(): ServerSentEvent[] {
    const line = this.#line.join('');
    this.#line = [];
    this.#lineChars = 0;
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'error') return [{ field, text: value }];
    if (field !== 'data') return [];
    this.#dataChars += value.length;
    if (this.#dataChars > MAX_EVENT_CHARS) throw tooLong();
    this.#data.push(value);
    return [];
  }

  #dispatch(): ServerSentEvent[] {
    if (this.#data.length === 0) return [];
    const text = this.#data.join('\n');
    this.#data = [];
    this.#dataChars = 0;
    return [{ field: 'data', text }];
  }
}

function tooLong() {
  return serviceError('remote.not-compatible', `The server sent a line of more than ${MAX_EVENT_CHARS} characters.`, {
    maxChars: MAX_EVENT_CHARS,
  });
}
