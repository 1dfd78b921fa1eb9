/**
 * Decides whether a growing view follows its end. It follows until the reader scrolls up and again once the end is reached; a
 * change of height alone never counts as the reader's doing.
 */
export interface ScrollMeasure {
  readonly scrollTop: number;
  readonly clientHeight: number;
  readonly scrollHeight: number;
}

/** Pixels from the end that still count as the end: fractional zoom leaves up to 1, a trackpad's last step a few. */
const NEAR_PX = 24;

export class StickToBottom {
  #following = true;
  #lastTop = 0;

  get following(): boolean {
    return this.#following;
  }

  /** On every scroll event. */
  scrolled(measure: ScrollMeasure): void {
    const distance = measure.scrollHeight - measure.clientHeight - measure.scrollTop;
    if (distance <= NEAR_PX) this.#following = true;
    else if (measure.scrollTop < this.#lastTop - 1) this.#following = false;
    this.#lastTop = measure.scrollTop;
  }

  /** After content or size changed. Returns where to scroll, or null to stay. */
  resized(measure: ScrollMeasure): number | null {
    if (!this.#following) return null;
    const top = Math.max(0, measure.scrollHeight - measure.clientHeight);
    this.#lastTop = Math.min(this.#lastTop, top);
    return top;
  }

  /** The reader wants the end (the button, a new question, another conversation). */
  follow(): void {
    this.#following = true;
    this.#lastTop = 0;
  }
}
