/** Reads a request's JSON body, never more than a limit. */
import type { IncomingMessage } from 'node:http';
import { serviceError } from '../../contract/errors.ts';
import { limitedBytes } from '../../limited-bytes.ts';

/** Room for the longest message in any script, escaped. */
export const MAX_BODY_BYTES = 32 * 2 ** 20;

/** Rejects with `request.invalid` when it is too long or no JSON. */
export async function readJson(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  const type = (request.headers['content-type'] ?? '').split(';')[0].trim();
  if (type !== 'application/json') throw serviceError('request.invalid', `The body must be application/json, not "${type}".`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLong(maxBytes);
  const body = await limitedBytes(request as AsyncIterable<Buffer>, maxBytes, () => tooLong(maxBytes));
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (error) {
    throw serviceError('request.invalid', 'The body is not JSON.', {}, error);
  }
}

function tooLong(maxBytes: number) {
  return serviceError('request.invalid', `The body is longer than ${maxBytes} bytes.`, { maxBytes });
}
