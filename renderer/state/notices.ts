/** Short messages at the window's edge: some go by themselves, errors stay until closed. */
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { Cancel, Clock } from './clock.ts';
import { errorTitle } from './error-text.ts';
import { Store } from './store.ts';

export interface Notice {
  readonly id: number;
  readonly tone: 'quiet' | 'error';
  readonly title: string;
  readonly text: string;
  readonly action: { readonly label: string; readonly run: () => void } | null;
}

export class Notices extends Store<readonly Notice[]> {
  readonly #clock: Clock;
  readonly #timers = new Map<number, Cancel>();
  #nextId = 1;

  constructor(clock: Clock) {
    super([]);
    this.#clock = clock;
  }

  /** Shows a notice for `shownMs`, or until closed when that is null. Returns its id. */
  show(notice: Omit<Notice, 'id'>, shownMs: number | null): number {
    const id = this.#nextId++;
    this.set([...this.value, { ...notice, id }]);
    if (shownMs !== null)
      this.#timers.set(
        id,
        this.#clock.after(shownMs, () => this.close(id)),
      );
    return id;
  }

  error(error: WireError): number {
    const title = errorTitle(error);
    const same = this.value.find((notice) => notice.title === title && notice.text === error.message);
    return same?.id ?? this.show({ tone: 'error', title, text: error.message, action: null }, null);
  }

  /** Runs it; what goes wrong is shown. Resolves to whether nothing did. */
  async attempt(run: () => Promise<unknown>): Promise<boolean> {
    try {
      await run();
      return true;
    } catch (error) {
      this.error(toWireError(error));
      return false;
    }
  }

  close(id: number): void {
    this.#timers.get(id)?.();
    this.#timers.delete(id);
    this.set(this.value.filter((notice) => notice.id !== id));
  }
}
