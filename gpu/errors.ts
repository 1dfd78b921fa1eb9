/**
 * Errors that the world causes (a damaged file, a missing adapter, too little memory), as opposed to our own
 * bugs (see invariant.ts). Codes are stable and cross process borders; messages are for people: they name the
 * thing, what was found, what is allowed and what to do next.
 */

/** Codes raised inside `gpu/`. `main/contract/errors.ts` adds those of the services. */
export type EngineErrorCode =
  | 'gguf.not-gguf'
  | 'gguf.version'
  | 'gguf.truncated'
  | 'gguf.field' // a field has an impossible value; details.field names it
  | 'gguf.tensor' // a tensor's description is impossible; details.tensor names it
  | 'gguf.type' // a value or tensor type that does not exist
  | 'gguf.utf8'
  | 'gguf.split' // parts of a split file missing or inconsistent
  | 'file.read' // the file could not be read, or fewer bytes came than it holds
  | 'file.changed' // size or time differ from when it was inspected
  | 'model.architecture' // a GGUF whose architecture we do not run
  | 'model.metadata' // a required key is missing or out of range
  | 'model.tensor' // a required tensor is missing or has another shape or type
  | 'model.tokenizer'
  | 'model.template'
  | 'trace.damaged' // a routing trace that cannot be read; details.line
  | 'profile.damaged' // a routing profile that cannot be read
  | 'gpu.no-adapter'
  | 'gpu.limits'
  | 'gpu.out-of-memory'
  | 'gpu.shader'
  | 'gpu.device-lost'
  | 'engine.context-full'
  | 'engine.answer-full' // as many tokens as an answer may have; details.answerTokens
  | 'engine.kv-type' // the model's heads cannot be stored so; details.headWidth
  | 'engine.budget' // does not fit; details.leastBytes says what would
  | 'engine.cancelled';

/** Plain data only: it crosses IPC. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | null>>;

export class ConclaveError<Code extends string = string> extends Error {
  override readonly name = 'ConclaveError';
  readonly code: Code;
  readonly details: ErrorDetails;

  constructor(code: Code, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

/** The form in which every error of `gpu/` is made, so that the code is checked by the compiler. */
export function engineError(
  code: EngineErrorCode,
  message: string,
  details: ErrorDetails = {},
  cause?: unknown,
): ConclaveError<EngineErrorCode> {
  return new ConclaveError(code, message, details, cause);
}

export function isConclaveError(error: unknown): error is ConclaveError {
  return error instanceof ConclaveError;
}
