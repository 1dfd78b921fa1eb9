/**
 * What the services ask of the engine, wherever it runs: in the engine host's window (Electron) or in this process (browser host, CLI).
 * Ids in, ids out: templates and tokenizers are main's. Everything is structured-clone-able except the callbacks and signals.
 */
import type { AdapterInfo } from './types.ts';
import type { WireError } from './errors.ts';

export interface EngineLoadRequest {
  readonly modelId: string;
  /** All parts, in order. */
  readonly paths: readonly string[];
  readonly contextTokens: number | null;
}

export interface EngineLoadProgress {
  readonly phase: 'device' | 'pipelines' | 'weights';
  readonly done: number;
  readonly total: number;
}

export interface EngineLoaded {
  readonly adapter: AdapterInfo;
  readonly contextTokens: number;
}

export interface EngineGenerateRequest {
  /** The whole prompt. The engine keeps what its cache already holds of it (common prefix). */
  readonly promptIds: Int32Array;
  readonly maxTokens: number;
  readonly endIds: readonly number[];
  readonly sampling: {
    readonly temperature: number;
    readonly topK: number;
    readonly topP: number;
    readonly minP: number;
    readonly seed: number;
  };
}

export interface EngineGenerateCallbacks {
  onPrefill(done: number, total: number): void;
  onTokens(ids: readonly number[]): void;
}

export interface EngineResult {
  readonly reason: 'end-token' | 'max-tokens' | 'context-full' | 'cancelled';
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly contextUsedTokens: number;
}

export interface EngineClient {
  load(
    request: EngineLoadRequest,
    onProgress: (progress: EngineLoadProgress) => void,
    signal: AbortSignal,
  ): Promise<EngineLoaded>;
  /** One at a time. Aborting resolves with `cancelled` after the submission in progress. */
  generate(request: EngineGenerateRequest, callbacks: EngineGenerateCallbacks, signal: AbortSignal): Promise<EngineResult>;
  unload(): Promise<void>;
  /** The device or its process was lost; the client can be loaded again. */
  onLost(listener: (error: WireError) => void): () => void;
  close(): Promise<void>;
}
