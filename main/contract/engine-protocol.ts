/**
 * The messages of an EngineClient whose engine runs in another process. One port, commands one way, reports the other; reports
 * are numbered without gaps, so that a lost one is noticed instead of leaving a hole in an answer. All of it is structured-clone-able.
 */
import type {
  EngineGenerateRequest,
  EngineLoadProgress,
  EngineLoadRequest,
  EngineLoaded,
  EngineMachine,
  EngineReset,
  EngineResult,
  EngineSurroundings,
} from './engine.ts';
import type { ExpertActivity } from './experts.ts';
import type { WireError } from './errors.ts';

/** `call` is chosen by the asking side and unique per port. */
export type EngineCommand =
  | { readonly kind: 'load'; readonly call: number; readonly request: EngineLoadRequest }
  | { readonly kind: 'generate'; readonly call: number; readonly request: EngineGenerateRequest }
  | { readonly kind: 'unload'; readonly call: number }
  | { readonly kind: 'probe'; readonly call: number; readonly surroundings: EngineSurroundings }
  | { readonly kind: 'limitRamPool'; readonly call: number; readonly limitBytes: number }
  | { readonly kind: 'close'; readonly call: number }
  /** Aborts the call of that number; it still ends with its own report. */
  | { readonly kind: 'cancel'; readonly call: number };

export type EngineAnswer = EngineLoaded | EngineMachine | EngineResult | number | null;

export type EngineReport = { readonly sequence: number } & (
  | { readonly kind: 'progress'; readonly call: number; readonly progress: EngineLoadProgress }
  | { readonly kind: 'prefill'; readonly call: number; readonly done: number; readonly total: number }
  | { readonly kind: 'tokens'; readonly call: number; readonly ids: readonly number[] }
  | { readonly kind: 'experts'; readonly call: number; readonly activity: ExpertActivity }
  | { readonly kind: 'done'; readonly call: number; readonly answer: EngineAnswer }
  | { readonly kind: 'failed'; readonly call: number; readonly error: WireError }
  | { readonly kind: 'reset'; readonly reset: EngineReset }
  | { readonly kind: 'lost'; readonly error: WireError }
);

/** A report before it is numbered. */
export type UnnumberedReport = EngineReport extends infer R ? (R extends EngineReport ? Omit<R, 'sequence'> : never) : never;

/** Either end of a message port, whatever its API. */
export interface EnginePort<Out, In> {
  post(message: Out): void;
  /** Set once, before messages are let through. */
  onMessage(listener: (message: In) => void): void;
}
