/**
 * Collections of the user's own documents: what pages may ask of them, what they hear, and what an answer carries of them. Spans are
 * half-open ranges of UTF-16 units in the document's extracted text. Times are Unix milliseconds.
 */
import type { WireError } from './errors.ts';

export type DocumentKind = 'pdf' | 'docx' | 'html' | 'markdown' | 'text' | 'csv' | 'code';

export interface Collection {
  readonly id: string;
  readonly name: string;
  readonly createdAtMs: number;
  readonly documents: number;
  /** Documents that wait or are being read, and those that failed. */
  readonly pending: number;
  readonly failed: number;
  readonly chunks: number;
}

export interface DocumentEntry {
  readonly id: string;
  readonly collectionId: string;
  readonly title: string;
  readonly path: string;
  readonly kind: DocumentKind;
  readonly sizeBytes: number;
  /** null where the format has no pages, or before it was read. */
  readonly pages: number | null;
  readonly chunks: number;
  /** `changed` and `missing`: its file on disk is not the one that was indexed; the index still answers. */
  readonly status: 'queued' | 'reading' | 'ready' | 'changed' | 'missing' | 'failed';
  readonly error: WireError | null;
  readonly addedAtMs: number;
}

/** A piece of a document that retrieval found. */
export interface Passage {
  readonly documentId: string;
  readonly documentTitle: string;
  /** From 1; null where the document has no pages. */
  readonly page: number | null;
  readonly heading: string | null;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Larger is better; comparable within one search only. */
  readonly score: number;
}

/** What the app found out about an answer's support, whatever the model says. */
export interface Evidence {
  /** `absent`: nothing in the documents supports an answer. `unsupported`: the model's answer has no support in a passage that it cites. */
  readonly verdict: 'supported' | 'unsupported' | 'absent';
  /** The sentence that supports best, with the passage it stands in (from 1) and its place in the document; null when absent. */
  readonly quote: {
    readonly passage: number;
    readonly text: string;
    readonly start: number;
    readonly end: number;
    readonly page: number | null;
  } | null;
  /** Citations that point to no passage; they are not in the text any more. */
  readonly removedCitations: number;
  /** Sentences of the answer (spans in its text) without support in the passages. */
  readonly unsupportedSentences: readonly { readonly start: number; readonly end: number }[];
}

/** A document's text for the viewer. `pages[i].start` is where page i + 1 begins; one page where the format has none. */
export interface DocumentText {
  readonly document: DocumentEntry;
  readonly text: string;
  readonly pages: readonly { readonly page: number | null; readonly start: number; readonly end: number }[];
}

export interface DocumentRequests {
  'documents.collections': { request: Record<string, never>; response: readonly Collection[] };
  'documents.createCollection': { request: { name: string }; response: Collection };
  'documents.renameCollection': { request: { collectionId: string; name: string }; response: Collection };
  /** The files stay where they are; only the index goes. */
  'documents.deleteCollection': { request: { collectionId: string }; response: null };
  'documents.list': { request: { collectionId: string }; response: readonly DocumentEntry[] };
  /** Files and folders (walked), by absolute path. Returns what was taken and what was not, with the reason; reading goes on behind. */
  'documents.add': {
    request: { collectionId: string; paths: readonly string[] };
    response: { added: readonly DocumentEntry[]; refused: readonly { path: string; error: WireError }[] };
  };
  /** Opens the system's dialog, then as `documents.add`; null when it was closed. */
  'documents.pick': {
    request: { collectionId: string; what: 'files' | 'folder' };
    response: { added: readonly DocumentEntry[]; refused: readonly { path: string; error: WireError }[] } | null;
  };
  'documents.remove': { request: { documentId: string }; response: null };
  /** Reads a failed or changed document again. */
  'documents.retry': { request: { documentId: string }; response: DocumentEntry };
  /** Documents of the collection that wait are taken out of the queue; what was indexed stays. */
  'documents.cancel': { request: { collectionId: string }; response: null };
  'documents.search': { request: { collectionId: string; query: string; limit: number }; response: readonly Passage[] };
  'documents.text': { request: { documentId: string }; response: DocumentText };
  /** Shows its file in the system's file manager; nothing is opened. Hosts without one answer `host.unsupported`. */
  'documents.reveal': { request: { documentId: string }; response: null };
  /** Which collection a conversation's questions look into; null for none. */
  'documents.use': { request: { conversationId: string; collectionId: string | null }; response: null };
}

export interface DocumentEvents {
  'documents.changed': { readonly collections: readonly Collection[] };
  'documents.document': { readonly document: DocumentEntry };
  /** Of one document being read: pages, or bytes where there are none. */
  'documents.progress': {
    readonly documentId: string;
    readonly collectionId: string;
    readonly done: number;
    readonly total: number;
  };
  /** The passages that an answer is given, before its first word. */
  'answer.sources': { readonly answerId: string; readonly conversationId: string; readonly sources: readonly Passage[] };
}
