/** What was typed but not sent, per conversation (null: a new one). Survives a reload through `storage`, not a restart. */
export interface DraftStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const KEY = 'conclave.drafts';
const NEW = '';

export class Drafts {
  readonly #texts = new Map<string, string>();
  readonly #storage: DraftStorage | null;

  constructor(storage: DraftStorage | null) {
    this.#storage = storage;
    try {
      const saved: unknown = JSON.parse(storage?.getItem(KEY) ?? '{}');
      if (saved && typeof saved === 'object')
        for (const [id, text] of Object.entries(saved)) if (typeof text === 'string') this.#texts.set(id, text);
    } catch {
      // Damaged or forbidden storage: drafts then live as long as the page.
    }
  }

  get(conversationId: string | null): string {
    return this.#texts.get(conversationId ?? NEW) ?? '';
  }

  set(conversationId: string | null, text: string): void {
    const id = conversationId ?? NEW;
    if (text === '') this.#texts.delete(id);
    else this.#texts.set(id, text);
    try {
      this.#storage?.setItem(KEY, JSON.stringify(Object.fromEntries(this.#texts)));
    } catch {
      // Storage full: the draft is still kept in memory.
    }
  }
}
