/** The nouns that pages, services and hosts talk about. Plain data; times are Unix milliseconds. */
import type { Evidence, Passage } from './documents.ts';
import { KV_NUMBER_BYTES, type KvType } from '../../gpu/quant/kv-types.ts';
import type { OffloadPlan } from '../../gpu/residency/plan/types.ts';
import type { WireError } from './errors.ts';
import type { RemoteState } from './remote.ts';
import type { NamedSampling } from './sampling.ts';

export { KV_NUMBER_BYTES, type KvType };

export type Role = 'system' | 'user' | 'assistant';
/** `streaming` only while the engine writes; a crash leaves it and the next start turns it into `interrupted`. */
export type MessageStatus = 'complete' | 'streaming' | 'queued' | 'stopped' | 'interrupted' | 'failed';

export interface GenerationStats {
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  readonly contextUsedTokens: number;
  /** null: a server that did not say. */
  readonly contextTokens: number | null;
  /** Turns that no longer fit and were left out of this prompt. */
  readonly droppedTurns: number;
}

export interface Message {
  readonly id: string;
  readonly conversationId: string;
  /** null for a first message. Messages form a tree; siblings are versions. */
  readonly parentId: string | null;
  readonly role: Role;
  readonly content: string;
  readonly status: MessageStatus;
  readonly createdAtMs: number;
  /** Name of the model that wrote it; null for a person. */
  readonly modelName: string | null;
  /** The host that wrote it, where that was not this computer's engine; null otherwise. */
  readonly remoteHost: string | null;
  readonly stats: GenerationStats | null;
  readonly error: WireError | null;
  /** The passages that an answer over documents was given, best first: `[1]` in it is the first. Empty otherwise. */
  readonly sources: readonly Passage[];
  /** null until the answer is finished, and without a collection. */
  readonly evidence: Evidence | null;
}

export interface ConversationSummary {
  readonly id: string;
  readonly title: string;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface Conversation extends ConversationSummary {
  /** The whole tree, oldest first. */
  readonly messages: readonly Message[];
  /** The end of the branch that is shown; null when empty. */
  readonly leafId: string | null;
  /** Where its questions look for passages; null for nowhere. */
  readonly collectionId: string | null;
}

export interface ModelFacts {
  readonly architecture: string;
  readonly parameterCount: number;
  readonly nLayers: number;
  /** 0 for a dense model. */
  readonly nExperts: number;
  readonly nExpertsUsed: number;
  /** Of a layer's experts those that one token can reach, where they are in groups; absent: all. */
  readonly nExpertsReached?: number;
  readonly trainedContextTokens: number;
  /** The most common tensor type, such as `Q4_K`. */
  readonly quantisation: string;
  readonly templateSource: 'file' | 'fallback';
  /** What the file says of choosing words; null: not read yet, an older version of the app took the file in. */
  readonly sampling: NamedSampling | null;
}

export interface ModelEntry {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly addedAtMs: number;
  /** `missing`: its file is gone or changed; `unusable`: `problem` says why. */
  readonly status: 'usable' | 'missing' | 'unusable';
  readonly facts: ModelFacts | null;
  readonly problem: WireError | null;
  /** Came with the app. */
  readonly builtIn: boolean;
  /** The file is the app's own copy (a download or an upload): it is deleted with the model. */
  readonly owned: boolean;
}

export interface AdapterInfo {
  readonly description: string;
  readonly software: boolean;
}

export type EngineStatus =
  | { readonly state: 'idle' } // no model chosen
  | {
      readonly state: 'loading';
      readonly modelId: string;
      readonly phase: 'file' | 'device' | 'pipelines' | 'weights';
      readonly done: number;
      readonly total: number;
    }
  | {
      readonly state: 'ready';
      readonly modelId: string;
      readonly adapter: AdapterInfo;
      readonly contextTokens: number | null;
      /** Where everything lives, and why; absent or null where another computer answers. */
      readonly plan?: OffloadPlan | null;
      /** A setting that this model cannot follow, in a sentence; absent or null where it follows all. */
      readonly notice?: string | null;
      /** Why the device is being had again right now; an answer goes on by itself when it is there. */
      readonly reset?: WireError;
    }
  | { readonly state: 'failed'; readonly modelId: string | null; readonly error: WireError };

/** Sampling: null where the model's file says it, and the app where that says nothing. */
export interface Settings extends NamedSampling {
  readonly theme: 'system' | 'light' | 'dark';
  readonly selectedModelId: string | null;
  readonly systemPrompt: string;
  /** null: a new seed for each answer. */
  readonly seed: number | null;
  /** null: chosen by the app. */
  readonly contextTokens: number | null;
  /** In what the engine keeps a conversation's keys and values: `q8_0` takes half the memory of `f16`, `f32` twice as much. */
  readonly kvType: KvType;
  /** Experts of each layer that work on a token; null: as many as the model says. A model that has fewer uses its own number. */
  readonly expertsUsed: number | null;
  /**
   * Approximate routing (faster, changes answers): an expert on the GPU takes the place of one that is not there whose router logit is at most this
   * much higher. null: exact.
   */
  readonly approximateRouting: number | null;
  /** Memory that a model may take; null: chosen by the app. */
  readonly gpuBudgetBytes: number | null;
  readonly ramBudgetBytes: number | null;
  readonly maxAnswerTokens: number;
}

export interface HostInfo {
  readonly kind: 'electron' | 'browser';
  readonly version: string;
  readonly dataFolder: string;
  /** Whether `library.pick` opens a dialog, and whether a dropped file has a path (else it is uploaded). */
  readonly fileDialog: boolean;
  readonly dropGivesPath: boolean;
  /** One plain sentence when this host is the fallback of another; null otherwise. */
  readonly fallbackReason: string | null;
}

export interface AppState {
  readonly host: HostInfo;
  readonly settings: Settings;
  readonly engine: EngineStatus;
  readonly models: readonly ModelEntry[];
  readonly remote: RemoteState;
}
