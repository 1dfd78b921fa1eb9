/** Every error code that may cross a process border, and the form in which an error crosses. */
import { ConclaveError, type EngineErrorCode, type ErrorDetails } from '../../gpu/errors.ts';

export type ServiceErrorCode =
  | 'request.invalid' // a payload that the contract does not allow
  | 'request.unknown'
  | 'request.refused' // sender not ours
  | 'data.locked' // another process writes this data folder
  | 'data.newer' // the database was written by a newer version
  | 'data.damaged'
  | 'data.disk-full'
  | 'data.unwritable' // the data folder or the database may not be written
  | 'conversation.missing'
  | 'message.missing'
  | 'model.missing' // not in the library, or its file is gone
  | 'model.none' // nothing selected yet
  | 'collection.missing'
  | 'document.missing' // not in a collection any more, or its file is gone
  | 'document.kind' // a format that cannot be read
  | 'document.unreadable' // the file cannot be opened
  | 'document.damaged'
  | 'document.encrypted'
  | 'document.empty' // no text in it (a scanned PDF)
  | 'document.too-large' // beyond a limit; details.limit names it
  | 'document.timeout'
  | 'document.duplicate' // this file is in the collection already
  | 'document.crashed' // the worker ended while reading it
  | 'engine.busy'
  | 'engine.crashed'
  | 'remote.address' // not an address that a server may have
  | 'remote.missing' // the server or its model was removed
  | 'remote.key' // no key can be kept here, or the kept one cannot be read
  | 'remote.unreachable' // refused, no such host, no answer in time
  | 'remote.tls'
  | 'remote.unauthorized'
  | 'remote.redirected' // to another host: not followed
  | 'remote.not-compatible' // what came is not OpenAI's protocol
  | 'remote.failed' // the server's own error, in its words
  | 'remote.cut' // the answer broke off
  | 'remote.consent' // documents would leave this computer: `remote.review` shows them
  | 'download.missing' // no such download (any more)
  | 'download.exists' // the file is there, or on its way
  | 'download.source' // what was given leads to no file that may be fetched
  | 'download.not-found'
  | 'download.refused' // the server wants a sign-in or a licence accepted
  | 'download.redirect' // to where we do not follow
  | 'download.server' // an answer that is not the file
  | 'download.network' // no connection, or it breaks again and again
  | 'download.checksum' // not the bytes that were meant
  | 'host.unsupported' // this host has no such thing (a file dialog in the browser host)
  | 'internal';

export type ErrorCode = EngineErrorCode | ServiceErrorCode;

export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: ErrorDetails;
}

export function serviceError(
  code: ServiceErrorCode,
  message: string,
  details: ErrorDetails = {},
  cause?: unknown,
): ConclaveError<ServiceErrorCode> {
  return new ConclaveError(code, message, details, cause);
}

export function toWireError(error: unknown): WireError {
  if (error instanceof ConclaveError) {
    return { code: error.code as ErrorCode, message: error.message, details: error.details };
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error), details: {} };
}

export function fromWireError(wire: WireError): ConclaveError<ErrorCode> {
  return new ConclaveError(wire.code, wire.message, wire.details);
}

export { ConclaveError };
