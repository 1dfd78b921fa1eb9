/**
 * One request to a server: node:http, because it follows no redirect by itself, takes no proxy from the environment and lets us see the
 * IP address before it connects. The key goes to the server's own origin and nowhere else. Every failure is a `remote.*` error in words.
 */
import { lookup as lookUpHost } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import { asUrl } from '../contract/as-url.ts';
import { serviceError } from '../contract/errors.ts';
import { mayConnect, type ServerAddress } from './address.ts';
import { asConnectionError } from './failures.ts';

export interface ConnectionLimits {
  /** Until the connection stands. */
  readonly connectMs: number;
  /** Until the reply's headers are there; a server may read a long prompt before it sends any. */
  readonly headersMs: number;
  /** Without a byte of the body. */
  readonly idleMs: number;
}

/** For lists, which a server has at hand. */
export const QUICK: ConnectionLimits = { connectMs: 10_000, headersMs: 15_000, idleMs: 15_000 };
/** For answers: a large model may be loaded first, and its first token may take minutes. */
export const PATIENT: ConnectionLimits = { connectMs: 15_000, headersMs: 600_000, idleMs: 300_000 };

/** Every IP address of a name. */
export type HostLookup = (hostname: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;

export const systemLookup: HostLookup = (hostname) => lookUpHost(hostname, { all: true });

export interface RemoteCall {
  readonly address: ServerAddress;
  readonly key: string | null;
  /** Behind the base URL. */
  readonly path: '/models' | '/chat/completions';
  /** Sent as JSON by POST; without one the request is a GET. */
  readonly body?: string;
  readonly limits: ConnectionLimits;
  readonly lookup: HostLookup;
  readonly signal: AbortSignal;
}

export interface RemoteReply {
  readonly status: number;
  /** Without parameters, lower case. */
  readonly contentType: string;
  /** Rejects with a `remote.*` error when the connection breaks or falls silent. Ending the loop early closes the connection. */
  readonly body: AsyncIterable<Uint8Array>;
}

const MOST_REDIRECTS = 3;

/** Resolves with any status but a redirect's. Rejects with a `remote.*` error, or the signal's reason. */
export async function call(request: RemoteCall): Promise<RemoteReply> {
  let url = new URL(`${request.address.baseUrl}${request.path}`);
  for (let redirects = 0; ; redirects++) {
    const response = await send(request, url);
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined)
      return { status, contentType: contentTypeOf(response), body: bytesOf(request, response) };
    response.destroy();
    url = redirected(request, url, location, status, redirects);
  }
}

function redirected({ address, body }: RemoteCall, from: URL, location: string, status: number, redirects: number): URL {
  const { host } = address;
  const to = asUrl(location, from);
  if (to?.origin === address.origin && redirects < MOST_REDIRECTS && (body === undefined || status >= 307)) return to;
  const where = to && to.origin !== address.origin ? to.origin.slice(0, 200) : 'another address';
  throw serviceError(
    'remote.redirected',
    `${host} sent this request on to ${where}. Conclave does not follow, so neither your words nor the key went there. If that is the right server, change the address in the settings.`,
    { host, location: where, status },
  );
}

function send({ address, key, body, limits, lookup, signal }: RemoteCall, url: URL): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { accept: 'application/json, text/event-stream', 'user-agent': 'Conclave' };
    if (key !== null) headers.authorization = `Bearer ${key}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const options: https.RequestOptions = { method: body === undefined ? 'GET' : 'POST', headers, signal, agent: false };
    const request = (address.encrypted ? https : http).request(url, { ...options, lookup: guardedLookup(address, lookup) });
    const overdue = (what: string, ms: number) =>
      setTimeout(() => {
        const message = `${address.host} ${what} within ${seconds(ms)}.`;
        request.destroy(serviceError('remote.unreachable', message, { host: address.host, limitMs: ms }));
      }, ms);
    const connecting = overdue('could not be connected to', limits.connectMs);
    const waiting = overdue('did not begin to answer', limits.headersMs);
    request.on('socket', (socket) => {
      socket.on(address.encrypted ? 'secureConnect' : 'connect', () => clearTimeout(connecting));
    });
    request.on('response', (response) => {
      clearTimeout(waiting);
      resolve(response);
    });
    request.on('close', () => {
      clearTimeout(connecting);
      clearTimeout(waiting);
    });
    request.on('error', (error) => reject(signal.aborted ? (signal.reason as Error) : asConnectionError(error, address)));
    request.end(body);
  });
}

/** Looks a name up and refuses when it leads further than the address allows (see address.ts). */
function guardedLookup(address: ServerAddress, lookUp: HostLookup): LookupFunction {
  return (hostname, options, done) => {
    lookUp(hostname).then(
      (found) => {
        const outside = found.find((entry) => !mayConnect(address, entry.address));
        if (outside) {
          const where = address.scope === 'loopback' ? 'this computer' : 'in the local network';
          const message = `${address.host} leads to ${outside.address}, which is not ${where}. Nothing was sent. Use https:// and a public name.`;
          return done(serviceError('remote.address', message, { host: address.host, address: outside.address }), '', 0);
        }
        if (options.all === true) return done(null, [...found]);
        done(null, found[0].address, found[0].family);
      },
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    );
  };
}

async function* bytesOf({ address, limits, signal }: RemoteCall, response: http.IncomingMessage): AsyncIterable<Uint8Array> {
  const { host } = address;
  response.setTimeout(limits.idleMs, () => {
    const message = `${host} fell silent for ${seconds(limits.idleMs)}.`;
    response.destroy(serviceError('remote.cut', message, { host, limitMs: limits.idleMs }));
  });
  try {
    for await (const chunk of response) yield chunk as Uint8Array;
  } catch (error) {
    throw signal.aborted ? (signal.reason as Error) : asConnectionError(error, address, 'remote.cut');
  } finally {
    response.destroy();
  }
}

function contentTypeOf({ headers }: http.IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
}

function seconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}
