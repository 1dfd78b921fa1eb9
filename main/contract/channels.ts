/**
 * Every request a page may make and every event it may receive: channel → payload. Hosts, services and pages all derive
 * their types from these two maps; validators for what comes from a page are in validators.ts.
 */
import type {
  AppState,
  Conversation,
  ConversationSummary,
  EngineStatus,
  GenerationStats,
  Message,
  MessageStatus,
  ModelEntry,
  Settings,
} from './types.ts';
import type { DocumentEvents, DocumentRequests, Evidence } from './documents.ts';
import type { LibraryEvents, LibraryRequests } from './downloads.ts';
import type { WireError } from './errors.ts';
import type { ExpertEvents, ExpertRequests } from './experts.ts';
import type { RemoteEvents, RemoteRequests } from './remote.ts';

export interface Requests extends DocumentRequests, ExpertRequests, LibraryRequests, RemoteRequests {
  'app.state': { request: Record<string, never>; response: AppState };

  /** Newest first; `query` searches titles and message text. */
  'conversations.list': {
    request: { query: string; limit: number; beforeMs: number | null };
    response: readonly ConversationSummary[];
  };
  'conversations.get': { request: { conversationId: string }; response: Conversation };
  'conversations.rename': { request: { conversationId: string; title: string }; response: ConversationSummary };
  'conversations.delete': { request: { conversationId: string }; response: null };
  /** Show the branch that ends at (or runs through) this message. Returns the leaf that is shown. */
  'conversations.show': { request: { conversationId: string; messageId: string }; response: { leafId: string } };

  /**
   * Commits the user's message and an empty answer before anything else, then queues the answer. `conversationId` null starts a
   * conversation, which then looks into `collectionId` (null: none; later `documents.use` changes it); `parentId` null is a first message;
   * a parent other than the leaf makes a new version (edit).
   */
  'chat.send': {
    request: { conversationId: string | null; parentId: string | null; text: string; collectionId: string | null };
    response: { conversation: ConversationSummary; userMessage: Message; answer: Message };
  };
  /** A new version of an answer, to the same question. */
  'chat.regenerate': { request: { answerId: string }; response: { answer: Message } };
  /** The text is committed before this returns; the GPU ends after the submission in progress. */
  'chat.stop': { request: { answerId: string }; response: null };

  'library.list': { request: Record<string, never>; response: readonly ModelEntry[] };
  /** By reference: the file stays where it is. */
  'library.import': { request: { path: string }; response: ModelEntry };
  /** Opens the system's dialog; null when it was closed. Hosts without one answer `host.unsupported`. */
  'library.pick': { request: Record<string, never>; response: ModelEntry | null };
  /** Takes a model off the list; the file stays unless the app made the copy itself. */
  'library.remove': { request: { modelId: string }; response: null };
  /** Chooses and loads. Progress comes as `engine.status`. */
  'library.select': { request: { modelId: string }; response: null };

  'settings.update': { request: Partial<Settings>; response: Settings };
}

export interface Events extends DocumentEvents, ExpertEvents, LibraryEvents, RemoteEvents {
  'engine.status': EngineStatus;
  'library.changed': { models: readonly ModelEntry[] };
  'settings.changed': Settings;
  /** A conversation was made, renamed, moved up or (null) deleted. */
  'conversations.changed': { conversationId: string; conversation: ConversationSummary | null };
  /** It left the queue: who writes it is settled now. */
  'answer.started': { answerId: string; conversationId: string; modelName: string; remoteHost: string | null };
  /** Prompt tokens read so far. */
  'answer.prefill': { answerId: string; done: number; total: number };
  /** `offset` is the length of the text before `text`, in UTF-16 units: a page that missed one reads the conversation again. */
  'answer.text': { answerId: string; conversationId: string; offset: number; text: string; tokens: number; elapsedMs: number };
  'answer.finished': {
    answerId: string;
    conversationId: string;
    status: MessageStatus;
    content: string;
    stats: GenerationStats | null;
    error: WireError | null;
    /** null without a collection. Invalid citations are not in `content` any more, though they may have been in `answer.text`. */
    evidence: Evidence | null;
  };
}

export type Channel = keyof Requests;
export type EventName = keyof Events;
export type RequestOf<C extends Channel> = Requests[C]['request'];
export type ResponseOf<C extends Channel> = Requests[C]['response'];

/** What a chat page is given by its host: nothing else crosses. */
export interface ConclaveClient {
  request<C extends Channel>(channel: C, request: RequestOf<C>): Promise<ResponseOf<C>>;
  /** Returns a function that ends the subscription. */
  on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): () => void;
  /** The path of a dropped file (Electron), or uploads it and resolves with the path of the copy (browser host). */
  pathOfDroppedFile(file: File, onProgress?: (done: number, total: number) => void): Promise<string>;
}
