/** The experts at work, as the host tells of them: the answer that is being written, or the last one. */
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { AnswerExperts } from '../../main/contract/experts.ts';
import type { PageClient } from './client.ts';
import { Store } from './store.ts';

export interface ExpertsView {
  readonly current: AnswerExperts | null;
  readonly error: WireError | null;
}

export class Experts extends Store<ExpertsView> {
  readonly #client: PageClient;

  constructor(client: PageClient) {
    super({ current: null, error: null });
    this.#client = client;
    client.on('experts.activity', (current) => this.patch({ current, error: null }));
  }

  /** For a page that opened after the answer began. */
  async load(): Promise<void> {
    if (this.value.current) return;
    try {
      const current = await this.#client.request('experts.current', {});
      if (current && !this.value.current) this.patch({ current });
    } catch (error) {
      this.patch({ error: toWireError(error) });
    }
  }
}
