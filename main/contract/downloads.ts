/**
 * Where models come from: the catalogue, a repository on Hugging Face, any https address; and the downloads on their way. No request
 * here contacts another machine but `library.lookUp`, `downloads.start` and `downloads.resume`, which a person asks for.
 */
import type { WireError } from './errors.ts';
import type { NamedSampling } from './sampling.ts';

/** Who stated the SHA-256 that a file is held against. `server`: the same server that sends the bytes, so it shows damage, not deceit. */
export type ChecksumSource = 'catalogue' | 'person' | 'server';

export type DownloadSource =
  | { readonly kind: 'catalogue'; readonly entryId: string; readonly fileName: string }
  /** `file` is a path in the repository; of a split model its first part. */
  | { readonly kind: 'hugging-face'; readonly repository: string; readonly revision: string; readonly file: string }
  | { readonly kind: 'url'; readonly url: string; readonly sha256: string | null };

export interface DownloadEntry {
  readonly id: string;
  readonly name: string;
  /** The host that is asked first; it may send on to another. */
  readonly host: string;
  /**
   * `queued`: another one runs. `checking`: what is on the disk already is read again for its checksum. `waiting`: for the next try,
   * `error` says why. `failed`: `error` says why; what came is kept where that helps.
   */
  readonly state: 'queued' | 'running' | 'checking' | 'waiting' | 'finishing' | 'paused' | 'failed';
  readonly receivedBytes: number;
  /** null until the server said so. */
  readonly totalBytes: number | null;
  readonly bytesPerSecond: number | null;
  readonly remainingMs: number | null;
  /** Parts of a split model. */
  readonly files: number;
  /** The weakest of its files'; null: one of them has no known checksum (yet). */
  readonly checksum: ChecksumSource | null;
  readonly error: WireError | null;
  readonly addedAtMs: number;
}

/** What will be held where, in words and as a class for the eye. */
export interface FitVerdict {
  /** `gpu`: all of it in graphics memory. `ram`: experts in memory. `disk`: experts read from disk again and again. `none`: it cannot run. `unknown`. */
  readonly level: 'gpu' | 'ram' | 'disk' | 'none' | 'unknown';
  readonly text: string;
}

/** A figure that could not be verified is null. */
export interface CatalogueFile {
  /** Path in the repository; of a split model its first part. */
  readonly name: string;
  readonly parts: number;
  readonly quantisation: string;
  /** Of all parts. */
  readonly sizeBytes: number | null;
  /** Rounded, from a page that gives no exact figure; null where `sizeBytes` is known. */
  readonly aboutBytes: number | null;
  readonly fit: FitVerdict;
}

export interface CatalogueEntry {
  readonly id: string;
  readonly name: string;
  readonly maker: string;
  readonly summary: string;
  readonly repository: string;
  /** `open`: anyone may use it for anything. A name of null: not verified, the model's page says it. */
  readonly licence: { readonly name: string | null; readonly url: string | null; readonly open: boolean };
  readonly architecture: string;
  readonly parametersTotal: number | null;
  readonly parametersActive: number | null;
  readonly layers: number | null;
  readonly experts: number | null;
  readonly expertsUsed: number | null;
  readonly contextTokens: number | null;
  /** Why our engine cannot run it yet; null when it can. */
  readonly notYet: string | null;
  readonly files: readonly CatalogueFile[];
  /** Pages that the figures were taken from. */
  readonly sources: readonly string[];
}

/** A GGUF model in a repository. */
export interface RepositoryFile {
  readonly name: string;
  readonly parts: number;
  readonly sizeBytes: number;
  readonly fit: FitVerdict;
}

/** One file of the library, opened and read (not its weights). */
export interface ModelDetails {
  readonly modelId: string;
  readonly paths: readonly string[];
  readonly sizeBytes: number;
  readonly architecture: string;
  readonly ggufVersion: number;
  readonly parametersTotal: number;
  readonly parametersActive: number;
  readonly layers: number | null;
  readonly modelWidth: number | null;
  readonly heads: number | null;
  readonly kvHeads: number | null;
  readonly vocabulary: number | null;
  readonly trainedContextTokens: number | null;
  readonly experts: {
    readonly count: number;
    readonly used: number;
    readonly bytes: number;
    readonly bytesPerExpert: number;
    /** Only experts of so many groups compete for a token; absent where there are no groups. */
    readonly groups?: { readonly count: number; readonly used: number };
  } | null;
  readonly types: readonly { readonly type: string; readonly tensors: number; readonly bytes: number }[];
  readonly tokenizer: string | null;
  /** What the file says of choosing words, and which of its values are not used, in sentences. */
  readonly sampling: { readonly named: NamedSampling; readonly notes: readonly string[] };
  /** The chat template that the file brings; null where a fallback is used. */
  readonly template: string | null;
  readonly licence: string | null;
  /** The app's own copy, deleted with the model. */
  readonly owned: boolean;
  readonly fit: FitVerdict;
}

export interface LibraryRequests {
  /** Comes with the app: nothing is contacted. */
  'library.catalogue': { request: Record<string, never>; response: readonly CatalogueEntry[] };
  /** Asks huggingface.co which GGUF files a repository has. */
  'library.lookUp': {
    request: { repository: string; revision: string };
    response: { readonly repository: string; readonly revision: string; readonly files: readonly RepositoryFile[] };
  };
  'library.details': { request: { modelId: string }; response: ModelDetails };

  'downloads.list': { request: Record<string, never>; response: readonly DownloadEntry[] };
  /** Committed, then begun. Rejects with `download.exists` when it is there or on its way already. */
  'downloads.start': { request: { source: DownloadSource }; response: DownloadEntry };
  /** What came is kept. */
  'downloads.pause': { request: { downloadId: string }; response: null };
  /** Goes on after a pause or a failure. */
  'downloads.resume': { request: { downloadId: string }; response: null };
  /** What came is deleted. */
  'downloads.cancel': { request: { downloadId: string }; response: null };
}

export interface LibraryEvents {
  /** One came, went or changed its state. */
  'downloads.changed': { readonly downloads: readonly DownloadEntry[] };
  'downloads.progress': Pick<DownloadEntry, 'id' | 'receivedBytes' | 'totalBytes' | 'bytesPerSecond' | 'remainingMs'>;
  /** It is a model of the library now. */
  'downloads.finished': { readonly downloadId: string; readonly name: string; readonly modelId: string };
}
