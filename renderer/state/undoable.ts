/**
 * Deletions that can be taken back for a while: what is deleted goes from sight at once, the request follows when the time is over
 * or the page goes away.
 */
import { toWireError } from '../../main/contract/errors.ts';
import type { Cancel, Clock } from './clock.ts';
import type { Notices } from './notices.ts';

export const UNDO_MS = 8000;

export interface Deletion {
  readonly id: string;
  /** What the notice says. */
  readonly title: string;
  readonly name: string;
  readonly commit: () => Promise<unknown>;
  /** Shows it again: it was taken back, or the host refused. */
  readonly restore: () => void;
}

interface Pending extends Pick<Deletion, 'commit'> {
  restore: Deletion['restore'];
  readonly noticeId: number;
  readonly cancel: Cancel;
}

export class Undoable {
  readonly #clock: Clock;
  readonly #notices: Notices;
  readonly #pending = new Map<string, Pending>();

  constructor(clock: Clock, notices: Notices) {
    this.#clock = clock;
    this.#notices = notices;
  }

  has(id: string): boolean {
    return this.#pending.has(id);
  }

  delete({ id, title, name, commit, restore }: Deletion): void {
    if (this.has(id)) return;
    const action = { label: 'Undo', run: () => this.undo(id) };
    const noticeId = this.#notices.show({ tone: 'quiet', title, text: name, action }, UNDO_MS);
    const cancel = this.#clock.after(UNDO_MS, () => void this.#commit(id));
    this.#pending.set(id, { commit, restore, noticeId, cancel });
  }

  /** It changed meanwhile: `restore` shows what it is now. */
  changed(id: string, restore: () => void): void {
    const pending = this.#pending.get(id);
    if (pending) pending.restore = restore;
  }

  undo(id: string): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    pending.cancel();
    this.#pending.delete(id);
    this.#notices.close(pending.noticeId);
    pending.restore();
  }

  /** Sends what still waits; call when the page goes away. */
  flush(): void {
    for (const [id, { cancel }] of this.#pending) {
      cancel();
      void this.#commit(id);
    }
  }

  async #commit(id: string): Promise<void> {
    const pending = this.#pending.get(id);
    if (!pending) return;
    try {
      await pending.commit();
      this.#pending.delete(id);
    } catch (error) {
      this.#pending.delete(id);
      this.#notices.error(toWireError(error));
      pending.restore();
    }
  }
}
