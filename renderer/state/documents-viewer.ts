/** The document that is open beside the chat: its text, and the passage and the sentence that are shown in it. */
import type { DocumentText, Evidence, Passage } from '../../main/contract/documents.ts';
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { PageClient } from './client.ts';
import type { Span } from './documents-text.ts';
import { Store } from './store.ts';

export interface ViewerTarget {
  readonly documentId: string;
  readonly title: string;
  /** What to highlight; null opens the document at its beginning. */
  readonly passage: Span | null;
  /** The sentence within it that counts most. */
  readonly quote: Span | null;
}

export interface ViewerView {
  readonly phase: 'closed' | 'loading' | 'ready' | 'failed';
  readonly target: ViewerTarget | null;
  readonly content: DocumentText | null;
  readonly error: WireError | null;
  /** Rises with every opening, so that the same passage is scrolled to again. */
  readonly visit: number;
}

const CLOSED: ViewerView = { phase: 'closed', target: null, content: null, error: null, visit: 0 };

export class DocumentViewer extends Store<ViewerView> {
  readonly #client: PageClient;

  constructor(client: PageClient) {
    super(CLOSED);
    this.#client = client;
  }

  get isOpen(): boolean {
    return this.value.phase !== 'closed';
  }

  async open(target: ViewerTarget): Promise<void> {
    const visit = this.value.visit + 1;
    const known = this.value.content?.document.id === target.documentId ? this.value.content : null;
    this.set({ phase: known ? 'ready' : 'loading', target, content: known, error: null, visit });
    if (known) return;
    try {
      const content = await this.#client.request('documents.text', { documentId: target.documentId });
      if (visit === this.value.visit) this.patch({ phase: 'ready', content });
    } catch (error) {
      if (visit === this.value.visit) this.patch({ phase: 'failed', error: toWireError(error) });
    }
  }

  openPassage(passage: Passage, evidence: Evidence | null = null, number = 0): Promise<void> {
    const quote = evidence?.quote && evidence.quote.passage === number ? evidence.quote : null;
    return this.open({
      documentId: passage.documentId,
      title: passage.documentTitle,
      passage: { start: passage.start, end: passage.end },
      quote: quote && { start: quote.start, end: quote.end },
    });
  }

  close(): void {
    if (this.isOpen) this.set({ ...CLOSED, visit: this.value.visit + 1 });
  }
}
