/**
 * Puts a streaming answer together from pieces that say where they belong. A piece that starts beyond the end is kept until
 * what lies between is known; the owner then reads the conversation again and calls `rebase`.
 */
export type PieceOutcome = 'added' | 'known' | 'gap';

export class LiveAnswer {
  #text = '';
  readonly #waiting = new Map<number, string>();

  get text(): string {
    return this.#text;
  }

  get hasGap(): boolean {
    return this.#waiting.size > 0;
  }

  /** `offset` counts UTF-16 units before `piece`. */
  push(offset: number, piece: string): PieceOutcome {
    if (offset > this.#text.length) {
      this.#waiting.set(offset, piece);
      return 'gap';
    }
    const before = this.#text.length;
    this.#append(offset, piece);
    this.#drain();
    return this.#text.length > before ? 'added' : 'known';
  }

  /** Text that was read from the conversation: it counts where it reaches further than what is known here. */
  rebase(content: string): void {
    if (content.length > this.#text.length) this.#text = content;
    this.#drain();
  }

  #append(offset: number, piece: string): void {
    if (offset + piece.length > this.#text.length) this.#text += piece.slice(this.#text.length - offset);
  }

  #drain(): void {
    for (const [offset, piece] of [...this.#waiting].sort((a, b) => a[0] - b[0])) {
      if (offset > this.#text.length) return;
      this.#waiting.delete(offset);
      this.#append(offset, piece);
    }
  }
}
