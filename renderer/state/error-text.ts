/** A short title for each error code. The message that came with the error says the particulars and what to do. */
import type { ErrorCode, WireError } from '../../main/contract/errors.ts';

const TITLES: Record<ErrorCode, string> = {
  'gguf.not-gguf': 'This is not a GGUF model file',
  'gguf.version': 'This version of GGUF cannot be read',
  'gguf.truncated': 'The model file is incomplete',
  'gguf.field': 'The model file is damaged',
  'gguf.tensor': 'The model file is damaged',
  'gguf.type': 'The model file uses an unknown data type',
  'gguf.utf8': 'The model file is damaged',
  'gguf.split': 'Parts of this model are missing',
  'file.read': 'The file could not be read',
  'file.changed': 'The file has changed since it was added',
  'model.architecture': 'This kind of model cannot be run yet',
  'model.metadata': 'The model file lacks something it needs',
  'model.tensor': 'The model file lacks something it needs',
  'model.tokenizer': 'This model’s tokenizer cannot be used',
  'model.template': 'This model’s chat template cannot be used',
  'trace.damaged': 'The routing trace cannot be read',
  'profile.damaged': 'The routing profile is damaged',
  'gpu.no-adapter': 'No graphics adapter was found',
  'gpu.limits': 'The graphics adapter is too small for this model',
  'gpu.out-of-memory': 'Not enough graphics memory',
  'gpu.shader': 'The graphics driver refused a program',
  'gpu.device-lost': 'The connection to the graphics adapter was lost',
  'engine.context-full': 'The conversation has filled the context',
  'engine.budget': 'The model does not fit into memory',
  'engine.cancelled': 'Stopped',
  'request.invalid': 'That request was not understood',
  'request.unknown': 'That request was not understood',
  'request.refused': 'That request was refused',
  'data.locked': 'Another Conclave is using this data folder',
  'data.newer': 'The data was written by a newer Conclave',
  'data.damaged': 'The saved data is damaged',
  'data.unwritable': 'The data folder cannot be written',
  'data.disk-full': 'The disk is full',
  'conversation.missing': 'This conversation no longer exists',
  'message.missing': 'This message no longer exists',
  'model.missing': 'The model is no longer there',
  'model.none': 'No model has been chosen yet',
  'collection.missing': 'This collection no longer exists',
  'document.missing': 'This document is no longer there',
  'document.kind': 'This kind of file cannot be read',
  'document.unreadable': 'The file could not be opened',
  'document.damaged': 'The document is damaged',
  'document.encrypted': 'The document is protected by a password',
  'document.empty': 'There is no text in this document',
  'document.too-large': 'The document is too large',
  'document.timeout': 'Reading the document took too long',
  'document.duplicate': 'This file is in the collection already',
  'document.crashed': 'Reading the document failed',
  'engine.busy': 'The engine is busy',
  'engine.crashed': 'The engine stopped unexpectedly',
  'remote.address': 'This address cannot be used',
  'remote.missing': 'This server is no longer there',
  'remote.key': 'The server’s key cannot be used',
  'remote.unreachable': 'The server cannot be reached',
  'remote.tls': 'The server’s certificate is not trusted',
  'remote.unauthorized': 'The server refused the key',
  'remote.redirected': 'The server pointed to another host',
  'remote.not-compatible': 'The server does not speak this protocol',
  'remote.failed': 'The server reported an error',
  'remote.cut': 'The server’s answer broke off',
  'remote.consent': 'This would send text of your documents',
  'host.unsupported': 'Not available here',
  internal: 'Something went wrong',
};

export function errorTitle(error: WireError): string {
  return TITLES[error.code] ?? TITLES.internal;
}

/** For the clipboard, when someone asks for help. */
export function errorReport(error: WireError): string {
  const details = Object.entries(error.details).map(([name, value]) => `${name}: ${String(value)}`);
  return [`${errorTitle(error)} (${error.code})`, error.message, ...details].join('\n');
}
