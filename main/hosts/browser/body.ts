/** Reads a request's JSON body, never more than a limit. */
import type { IncomingMessage } from 'node:http';
import { serviceError } from '../../contract/errors.ts';

/** Room for the longest message in any script, escaped. */
export const MAX_BODY_BYTES = 32 * 2 ** 20;

/** Rejects with `request.invalid` when it is too long or no JSON. */
export async function readJson(request: IncomingMessage, maxBytes = MAX_BODY_BYTES): Promise<unknown> {
  const type = (request.headers['content-type'] ?? '').split(';')[0].trim();
  if (type !== 'application/json') throw serviceError('request.invalid', `The body must be application/json, not "${type}".`);
  const chunks: Buffer[] = [];
  let sizeBytes = Number(request.headers['content-length'] ?? 0);
  if (sizeBytes > maxBytes) throw tooLong(maxBytes);
  sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw tooLong(maxBytes);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (error) {
    throw serviceError('request.invalid', 'The body is not JSON.', {}, error);
  }
}

function tooLong(maxBytes: number) {
  return serviceError('request.invalid', `The body is longer than ${maxBytes} bytes.`, { maxBytes });
}
