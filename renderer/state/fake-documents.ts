/** The documents of the scripted client: collections that are filled, read in steps with progress, searched and opened. Development and tests only. */
import type {
  Collection,
  DocumentEntry,
  DocumentEvents,
  DocumentKind,
  DocumentRequests,
  Passage,
} from '../../main/contract/documents.ts';
import { serviceError, type WireError } from '../../main/contract/errors.ts';
import type { Clock } from './clock.ts';
import { collection, documentText, LEASE_DOCUMENTS, manyDocuments, PASSAGES } from './fake-documents-data.ts';
import type { ScenarioName } from './fake-scenarios.ts';

type Emit = <E extends keyof DocumentEvents>(event: E, payload: DocumentEvents[E]) => void;
type Handlers = { [C in keyof DocumentRequests]: (request: DocumentRequests[C]['request']) => DocumentRequests[C]['response'] };
type Added = DocumentRequests['documents.add']['response'];

const STEP_MS = 60;
const KINDS: Readonly<Record<string, DocumentKind>> = {
  pdf: 'pdf',
  docx: 'docx',
  html: 'html',
  md: 'markdown',
  txt: 'text',
  csv: 'csv',
  ts: 'code',
};

export class FakeDocuments {
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #collections = new Map<string, { name: string; createdAtMs: number }>();
  readonly #documents = new Map<string, DocumentEntry>();
  /** By conversation. */
  readonly used = new Map<string, string | null>();
  #nextId = 1;
  #reading: string | null = null;

  constructor(clock: Clock, name: ScenarioName, emit: Emit) {
    this.#clock = clock;
    this.#emit = emit;
    if (name !== 'documents') return;
    const many = manyDocuments(5000);
    for (const [id, title] of [
      ['lease', 'The flat in Kastanjegatan'],
      ['many', 'Minutes of the housing association'],
      ['empty', 'Recipes'],
    ])
      this.#collections.set(id, { name: title, createdAtMs: 0 });
    for (const entry of [...LEASE_DOCUMENTS, ...many]) this.#documents.set(entry.id, entry);
  }

  readonly handlers: Handlers = {
    'documents.collections': () => this.#all(),
    'documents.createCollection': ({ name }) => {
      const id = `collection-${this.#nextId++}`;
      this.#collections.set(id, { name, createdAtMs: this.#clock.nowMs() });
      return this.#changed(id);
    },
    'documents.renameCollection': ({ collectionId, name }) => {
      this.#collections.set(collectionId, { createdAtMs: 0, name });
      return this.#changed(collectionId);
    },
    'documents.deleteCollection': ({ collectionId }) => {
      this.#collections.delete(collectionId);
      this.#emit('documents.changed', { collections: this.#all() });
      return null;
    },
    'documents.list': ({ collectionId }) => this.#of(collectionId),
    'documents.add': ({ collectionId, paths }) => this.#add(collectionId, paths),
    'documents.pick': ({ collectionId, what }) =>
      this.#add(
        collectionId,
        what === 'files'
          ? ['/home/ada/Thesis.pdf', '/home/ada/Notes on tides.md', '/home/ada/Holiday.jpg']
          : Array.from({ length: 24 }, (_, at) => `/home/ada/Papers/Paper ${at + 1}.pdf`),
      ),
    'documents.remove': ({ documentId }) => {
      const { collectionId } = this.#find(documentId);
      this.#documents.delete(documentId);
      this.#changed(collectionId);
      return null;
    },
    'documents.retry': ({ documentId }) => {
      const entry = this.#put({ ...this.#find(documentId), status: 'queued', error: null });
      this.#clock.after(1, () => this.#next());
      return entry;
    },
    'documents.cancel': ({ collectionId }) => {
      for (const entry of this.#of(collectionId)) if (entry.status === 'queued') this.#documents.delete(entry.id);
      this.#changed(collectionId);
      return null;
    },
    'documents.search': ({ query }) => this.#search(query),
    'documents.text': ({ documentId }) => documentText(this.#find(documentId)),
    'documents.reveal': ({ documentId }) => {
      this.#find(documentId);
      return null;
    },
    'documents.use': ({ conversationId, collectionId }) => {
      this.used.set(conversationId, collectionId);
      return null;
    },
  };

  #add(collectionId: string, paths: readonly string[]): Added {
    const added: DocumentEntry[] = [];
    const refused: { path: string; error: WireError }[] = [];
    for (const path of paths) {
      const title = path.split('/').at(-1) ?? path;
      const kind = KINDS[title.split('.').at(-1)?.toLowerCase() ?? ''];
      if (kind) added.push(this.#entry(collectionId, path, title, kind));
      else
        refused.push({
          path,
          error: {
            code: 'request.invalid',
            message: `${title} is no document that can be read. PDF, DOCX, HTML, Markdown, text, CSV and source code can be.`,
            details: { path },
          },
        });
    }
    for (const entry of added) this.#documents.set(entry.id, entry);
    this.#changed(collectionId);
    this.#clock.after(1, () => this.#next());
    return { added, refused };
  }

  #entry(collectionId: string, path: string, title: string, kind: DocumentKind): DocumentEntry {
    const id = `document-${this.#nextId++}`;
    const rest = { pages: null, chunks: 0, status: 'queued', error: null, addedAtMs: this.#clock.nowMs() } as const;
    return { id, collectionId, title, path, kind, sizeBytes: 184_000 + this.#nextId * 9_000, ...rest };
  }

  /** Reads the next document that waits, one at a time, in ten steps. */
  #next(): void {
    if (this.#reading !== null) return;
    const entry = [...this.#documents.values()].find(({ status }) => status === 'queued');
    if (!entry) return;
    this.#reading = entry.id;
    this.#put({ ...entry, status: 'reading' });
    for (let step = 1; step <= 10; step++)
      this.#clock.after(STEP_MS * step, () =>
        this.#emit('documents.progress', { documentId: entry.id, collectionId: entry.collectionId, done: step * 3, total: 30 }),
      );
    this.#clock.after(STEP_MS * 11, () => {
      this.#reading = null;
      const now = this.#documents.get(entry.id);
      if (now) this.#put(entry.title.includes('damaged') ? { ...now, status: 'failed', error: DAMAGED } : readOf(now));
      this.#next();
    });
  }

  #search(query: string): readonly Passage[] {
    const words = [...query.toLowerCase().matchAll(/\p{L}+/gu)].map(([word]) => word);
    if (words.includes('broken'))
      throw serviceError('data.damaged', 'The index cannot be read. Take the documents out and add them again.');
    const hits = (passage: Passage): number => words.filter((word) => passage.text.toLowerCase().includes(word)).length;
    return PASSAGES.filter((passage) => hits(passage) > 0).sort((a, b) => hits(b) - hits(a));
  }

  #all(): readonly Collection[] {
    return [...this.#collections].map(([id, { name, createdAtMs }]) => ({ ...collection(id, name, this.#of(id)), createdAtMs }));
  }

  #of(collectionId: string): readonly DocumentEntry[] {
    return [...this.#documents.values()].filter((entry) => entry.collectionId === collectionId);
  }

  #find(documentId: string): DocumentEntry {
    const entry = this.#documents.get(documentId);
    if (!entry) throw serviceError('document.missing', 'This document was taken out of its collection.', { documentId });
    return entry;
  }

  #put(entry: DocumentEntry): DocumentEntry {
    this.#documents.set(entry.id, entry);
    this.#emit('documents.document', { document: entry });
    this.#changed(entry.collectionId);
    return entry;
  }

  #changed(collectionId: string): Collection {
    const collections = this.#all();
    this.#emit('documents.changed', { collections });
    return collections.find(({ id }) => id === collectionId)!;
  }
}

const DAMAGED: WireError = {
  code: 'document.damaged',
  message: 'The file breaks off in the middle: its table of contents is missing. Download or copy it again, then try again.',
  details: {},
};

function readOf(entry: DocumentEntry): DocumentEntry {
  return { ...entry, status: 'ready', pages: entry.kind === 'pdf' ? 30 : null, chunks: 84 };
}
