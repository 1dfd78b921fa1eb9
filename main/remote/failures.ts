/** What goes wrong with a server, as errors that a person can act on. No request header ever gets into one, so no key does. */
import { ConclaveError, engineError } from '../../gpu/errors.ts';
import { serviceError, type ServiceErrorCode } from '../contract/errors.ts';
import { limitedBytes } from '../limited-bytes.ts';
import type { ServerAddress } from './address.ts';
import type { RemoteReply } from './connection.ts';

/** Of a server's own words. */
const MAX_WORDS = 500;
const MAX_ERROR_BYTES = 64 * 1024;

/** An error of node:http, TLS or DNS. `broken` is the code for a connection that ended before its time. */
export function asConnectionError(
  error: unknown,
  { host, encrypted }: Pick<ServerAddress, 'host' | 'encrypted'>,
  broken: ServiceErrorCode = 'remote.unreachable',
): ConclaveError {
  if (error instanceof ConclaveError) return error;
  const cause = innermost(error);
  const reason = String(cause.code ?? '');
  const fail = (code: ServiceErrorCode, message: string) => serviceError(code, message, { host, reason }, error);
  switch (reason) {
    case 'ECONNREFUSED':
      return fail('remote.unreachable', `Nothing answers at ${host}. Is the server running, and is the port right?`);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail('remote.unreachable', `The name ${host} could not be found. Check its spelling and the network.`);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
    case 'EADDRNOTAVAIL':
      return fail('remote.unreachable', `${host} cannot be reached from here. Check the network, a VPN or a firewall.`);
    case 'CERT_HAS_EXPIRED':
      return fail('remote.tls', `The certificate of ${host} has expired. Nothing was sent.`);
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return fail('remote.tls', `The certificate of ${host} belongs to another name. Nothing was sent.`);
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return fail('remote.tls', `${host} answers without encryption. If it is in your own network, use http:// in its address.`);
  }
  if (isUntrusted(reason))
    return fail(
      'remote.tls',
      `The certificate of ${host} was signed by nobody this computer trusts (${reason}). Nothing was sent. For a certificate of your own, start Conclave with NODE_EXTRA_CA_CERTS set to its file.`,
    );
  if (/^(ERR_SSL|ERR_TLS|EPROTO)/.test(reason))
    return fail('remote.tls', `No encrypted connection to ${host} came about (${reason}). Nothing was sent.`);
  if (reason.startsWith('HPE_'))
    return fail('remote.not-compatible', `What answers at ${host} does not speak HTTP${encrypted ? '' : ' without encryption'}.`);
  const message =
    broken === 'remote.cut'
      ? `${host} closed the connection before the end.`
      : `${host} closed the connection without an answer${reason === '' ? '' : ` (${reason})`}.`;
  return fail(broken, message);
}

function isUntrusted(reason: string): boolean {
  return /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|CERT_(UNTRUSTED|REJECTED|SIGNATURE_FAILURE|NOT_YET_VALID|REVOKED)|INVALID_CA/.test(
    reason,
  );
}

/** Where several addresses were tried, node wraps what happened to each. */
function innermost(error: unknown): { readonly code?: unknown } {
  const inner = error instanceof AggregateError ? (error.errors as unknown[])[0] : error;
  return typeof inner === 'object' && inner !== null ? inner : {};
}

/** The error of a reply whose status is not 200. */
export async function asServerError(
  reply: RemoteReply,
  { host }: Pick<ServerAddress, 'host'>,
  hasKey: boolean,
): Promise<ConclaveError> {
  const { words, code } = wordsOf(await readText(reply.body, MAX_ERROR_BYTES).catch(() => ''));
  const details = { host, status: reply.status };
  const said = words === '' ? '' : ` It says: ${words}`;
  if (reply.status === 401 || reply.status === 403)
    return serviceError(
      'remote.unauthorized',
      hasKey
        ? `${host} refused the key (${reply.status}). Check it in the settings.${said}`
        : `${host} wants a key (${reply.status}). Enter one in the settings.${said}`,
      details,
    );
  if (isContextLimit(words, code)) return contextFull(host, words);
  const status =
    reply.status === 429 ? 'is asked too often' : reply.status >= 500 ? 'has a problem of its own' : 'refused the request';
  return serviceError('remote.failed', `${host} ${status} (${reply.status}).${said}`, details);
}

/** An error that came inside a stream. */
export function asStreamError(value: unknown, { host }: Pick<ServerAddress, 'host'>): ConclaveError {
  const { words, code } = wordsOf(JSON.stringify({ error: value }));
  if (isContextLimit(words, code)) return contextFull(host, words);
  return serviceError('remote.failed', `${host} broke off with an error. It says: ${words || 'nothing more'}`, { host });
}

function contextFull(host: string, words: string): ConclaveError {
  return engineError(
    'engine.context-full',
    `The conversation is longer than ${host} takes. Start a new one, or set a context length in the settings, so that the oldest turns are left out. The server says: ${words}`,
    { host },
  );
}

function isContextLimit(words: string, code: string): boolean {
  return (
    /context_length|exceed_context/.test(code) ||
    /(maximum|exceeds?|available) .{0,40}context|context (length|size|window)/i.test(words)
  );
}

/** A server's own words out of the shapes that are about: `{error: {message, code}}`, `{error}`, `{message}`, `{detail}`, plain text. */
export function wordsOf(text: string): { readonly words: string; readonly code: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { words: /^\s*</.test(text) ? '' : plain(text), code: '' };
  }
  const top = asRecord(value);
  const inner = asRecord(top.error);
  const found = [inner.message, top.error, top.message, top.detail].find((part) => typeof part === 'string');
  const code = [inner.code, inner.type, top.code, top.type].filter((part) => typeof part === 'string').join(' ');
  return { words: plain(typeof found === 'string' ? found : ''), code };
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** One line of at most 500 characters without control characters. */
export function plain(text: string): string {
  const line = text
    .slice(0, 4 * MAX_WORDS)
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .trim();
  return line.length > MAX_WORDS ? `${line.slice(0, MAX_WORDS - 1)}…` : line;
}

/** Rejects with `remote.not-compatible` beyond the limit. */
export async function readText(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<string> {
  const bytes = await limitedBytes(body, maxBytes, () =>
    serviceError('remote.not-compatible', `The server's reply is longer than ${maxBytes} bytes.`, { maxBytes }),
  );
  return new TextDecoder().decode(bytes);
}
