/**
 * One file on a server, from a byte on. Redirects are followed here, one by one, so that https never becomes http and nothing but the
 * address itself is ever sent on: no cookies, no credentials, no referrer. Hugging Face states a file's size and SHA-256 before it
 * redirects (`x-linked-size`, `x-linked-etag`: huggingface_hub, file_download.py, get_hf_file_metadata).
 */
import { asUrl } from '../../contract/as-url.ts';
import { isLoopback } from '../../contract/model-address.ts';
import { serviceError } from '../../contract/errors.ts';

export type Fetch = typeof globalThis.fetch;

const MAX_REDIRECTS = 10;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export interface RemoteFacts {
  readonly totalBytes: number | null;
  /** The server's claim about the whole file, lower-case hex. */
  readonly claimedSha256: string | null;
  /** Equal as long as the file is the same; null when the server gives nothing to tell by. */
  readonly identity: string | null;
  /** The address with the commit it stands for now, where the server says which (Hugging Face). */
  readonly pinnedUrl: string | null;
}

export interface RemoteFile extends RemoteFacts {
  /** Where `body` begins: what was asked for, or 0 when the server (or another version of the file) begins anew. */
  readonly offsetBytes: number;
  /** null when there is nothing after what was asked for. */
  readonly body: ReadableStream<Uint8Array> | null;
}

/** The server is there but cannot serve now; it may say when. */
export class TryLater extends Error {
  readonly afterMs: number | null;

  constructor(message: string, afterMs: number | null) {
    super(message);
    this.afterMs = afterMs;
  }
}

export interface Asking {
  readonly fetch: Fetch;
  readonly url: string;
  readonly signal: AbortSignal;
}

/** What can be known without the bytes. null where the server does not answer such questions; the download itself will tell then. */
export async function askRemote({ fetch, url, signal }: Asking): Promise<RemoteFacts | null> {
  const { response, facts } = await follow({ fetch, url, signal }, 'HEAD', {}, true);
  await response.body?.cancel();
  if (response.status === 401 || response.status === 404 || response.status === 410) refuse(response, url);
  return response.ok || REDIRECTS.has(response.status) ? facts : null;
}

/**
 * Opens the file at `offsetBytes`. With an `identity` the rest is only asked for if the file is still the same. Rejects with download.*
 * when trying again cannot help, with TryLater or fetch's own errors when it may.
 */
export async function openRemote(
  asking: Asking & { readonly offsetBytes: number; readonly identity: string | null },
): Promise<RemoteFile> {
  const { url, offsetBytes, identity } = asking;
  const headers: Record<string, string> = offsetBytes > 0 ? { Range: `bytes=${offsetBytes}-` } : {};
  const condition = identity?.startsWith('etag:') || identity?.startsWith('date:') ? identity.slice(5) : null;
  if (offsetBytes > 0 && condition !== null) headers['If-Range'] = condition;
  const { response, facts } = await follow(asking, 'GET', headers, false);
  const isSame = identity === null || facts.identity === null || facts.identity === identity;
  if (response.status === 206 && offsetBytes > 0) {
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
    const totalBytes = range && range[2] !== '*' ? Number(range[2]) : null;
    if (isSame && range && Number(range[1]) === offsetBytes)
      return { ...facts, totalBytes: totalBytes ?? facts.totalBytes, offsetBytes, body: response.body };
    await response.body?.cancel();
    return openRemote({ ...asking, offsetBytes: 0, identity: null });
  }
  if (response.status === 416 && offsetBytes > 0) {
    await response.body?.cancel();
    const total = /^bytes \*\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
    if (isSame && Number(total) === offsetBytes) return { ...facts, totalBytes: offsetBytes, offsetBytes, body: null };
    return openRemote({ ...asking, offsetBytes: 0, identity: null });
  }
  if (response.status !== 200) refuse(response, url);
  checkPlain(response, url);
  return { ...facts, offsetBytes: 0, body: response.body };
}

/** `early`: ends at the first answer that states size and checksum, before the server sends on to where the bytes are. */
export async function follow(
  { fetch, url, signal }: Asking,
  method: 'GET' | 'HEAD',
  headers: Record<string, string>,
  early: boolean,
): Promise<{ response: Response; facts: RemoteFacts }> {
  let at = new URL(url);
  let linked: Pick<RemoteFacts, 'claimedSha256' | 'pinnedUrl'> & { sizeBytes: number | null } = {
    claimedSha256: null,
    pinnedUrl: null,
    sizeBytes: null,
  };
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await fetch(at, {
      method,
      headers: { Accept: '*/*', 'Accept-Encoding': 'identity', 'User-Agent': 'Conclave', ...headers },
      redirect: 'manual',
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal,
    });
    linked = {
      claimedSha256: /^"?([0-9a-f]{64})"?$/.exec(response.headers.get('x-linked-etag') ?? '')?.[1] ?? linked.claimedSha256,
      sizeBytes: wholeNumber(response.headers.get('x-linked-size')) ?? linked.sizeBytes,
      pinnedUrl: pinned(at, response.headers.get('x-repo-commit')) ?? linked.pinnedUrl,
    };
    const { sizeBytes, ...claims } = linked;
    const isEnd = !REDIRECTS.has(response.status) || (early && sizeBytes !== null && claims.claimedSha256 !== null);
    if (isEnd) {
      const length = response.status === 200 ? wholeNumber(response.headers.get('content-length')) : null;
      const identity = claims.claimedSha256 === null ? identityOf(response.headers) : `sha256:${claims.claimedSha256}`;
      return { response, facts: { ...claims, identity, totalBytes: sizeBytes ?? length } };
    }
    await response.body?.cancel();
    at = nextHop(at, response.headers.get('location'), url);
  }
  throw serviceError('download.redirect', `${hostOf(url)} sends on from address to address without an end.`, { url });
}

function nextHop(from: URL, location: string | null, first: string): URL {
  const next = asUrl(location ?? '', from);
  if (!location || !next || next.username !== '' || next.password !== '')
    throw serviceError('download.redirect', `${from.host} sends on to an address that cannot be used.`, { url: first });
  const isAllowed =
    next.protocol === 'https:' || (next.protocol === 'http:' && isLoopback(next.hostname) && isLoopback(from.hostname));
  if (!isAllowed)
    throw serviceError(
      'download.redirect',
      `${from.host} sends on to ${next.protocol}//${next.host}, which is not protected by https. The download was not begun.`,
      { url: first, host: next.host },
    );
  return next;
}

/** Strong tags and dates can be asked for with If-Range (RFC 9110, 13.1.5); weak tags are only compared. */
function identityOf(headers: Headers): string | null {
  const tag = headers.get('etag');
  if (tag?.startsWith('"')) return `etag:${tag}`;
  const date = headers.get('last-modified');
  if (date) return `date:${date}`;
  return tag ? `weak:${tag}` : null;
}

/** `/owner/name/resolve/main/x` with the commit instead of `main`, so that every part of a model comes from the same one. */
function pinned(at: URL, commit: string | null): string | null {
  if (!commit || !/^[0-9a-f]{40}$/.test(commit)) return null;
  const match = /^(\/[^/]+\/[^/]+\/resolve\/)[^/]+(\/.+)$/.exec(at.pathname);
  return match ? new URL(`${match[1]}${commit}${match[2]}`, at).href : null;
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function hostOf(url: string): string {
  return new URL(url).host;
}

function checkPlain(response: Response, url: string): void {
  const encoding = response.headers.get('content-encoding');
  if (encoding === null || encoding === 'identity') return;
  void response.body?.cancel();
  throw serviceError(
    'download.server',
    `${hostOf(url)} sends the file packed (${encoding}) although the plain bytes were asked for.`,
    { url, encoding },
  );
}

/** Throws what an answer other than the file means. */
export function refuse(response: Response, url: string): never {
  const { status } = response;
  void response.body?.cancel();
  const host = hostOf(url);
  const details = { url, status };
  if (status === 401 || status === 403)
    throw serviceError(
      'download.refused',
      `${host} does not give this file to everyone (${status}). It may be gated: its owner wants you to sign in and accept a licence on the page of the model. Conclave does not sign in anywhere; download the file with your browser and add it with Import.`,
      details,
    );
  if (status === 404 || status === 410)
    throw serviceError(
      'download.not-found',
      `${host} has no such file (${status}). Check the name, or look up the repository's files.`,
      details,
    );
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const after = wholeNumber(response.headers.get('retry-after'));
    throw new TryLater(
      `${host} answered ${status}${status === 429 ? ' (too many requests)' : ''}`,
      after === null ? null : after * 1000,
    );
  }
  throw serviceError('download.server', `${host} answered ${status}, which is not the file.`, details);
}
