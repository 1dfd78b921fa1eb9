/** A file server on 127.0.0.1 that misbehaves as told: cuts connections, ignores Range, changes the file, is slow, sends on elsewhere. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What was written should arrive first: fetch throws away what it has not handed on when a connection breaks. */
const CUT_AFTER_MS = 20;

export interface Served {
  readonly bytes: Uint8Array;
  /** null: none is sent. */
  readonly etag: string | null;
  readonly ranges: boolean;
  /** What Hugging Face says before it redirects. */
  readonly linkedSha256: string | null;
  readonly linkedCommit: string | null;
  /** The next answers end after so many bytes of their body, one after another; then they are whole. */
  readonly cuts: number[];
  /** The next answers are these instead of the file. */
  readonly statuses: { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }[];
  readonly bytesPerSecond: number;
}

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly range: string | null;
  readonly ifRange: string | null;
  readonly headers: IncomingMessage['headers'];
}

export class FileServer {
  readonly #server: Server;
  readonly files = new Map<string, Served>();
  /** Paths that answer with a redirect. */
  readonly redirects = new Map<string, string>();
  readonly seen: Seen[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      void this.#answer(request, response);
    });
  }

  static async start(): Promise<FileServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new FileServer(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  serve(path: string, bytes: Uint8Array, change: Partial<Served> = {}): Served {
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    const served = {
      bytes,
      etag,
      ranges: true,
      linkedSha256: null,
      linkedCommit: null,
      cuts: [],
      statuses: [],
      bytesPerSecond: Infinity,
      ...change,
    };
    this.files.set(path, served);
    return served;
  }

  /** Requests for the bytes of a path. */
  gets(path: string): Seen[] {
    return this.seen.filter(({ method, url }) => method === 'GET' && url === path);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const { method = 'GET', headers } = request;
    const range = headers.range ?? null;
    this.seen.push({ method, url: path, range, ifRange: (headers['if-range'] as string | undefined) ?? null, headers });
    const file = this.files.get(path);
    const target = this.redirects.get(path);
    if (file?.linkedSha256 && target) {
      response.setHeader('x-linked-etag', `"${file.linkedSha256}"`);
      response.setHeader('x-linked-size', file.bytes.length);
      if (file.linkedCommit) response.setHeader('x-repo-commit', file.linkedCommit);
    }
    if (target) return void response.writeHead(302, { location: target }).end();
    if (!file) return void response.writeHead(404).end('no such file');
    const status = method === 'GET' ? file.statuses.shift() : undefined;
    if (status) return void response.writeHead(status.status, status.headers).end(status.body ?? '');
    if (file.etag) response.setHeader('etag', file.etag);
    const start = this.#startOf(file, range, headers['if-range'] as string | undefined);
    if (start > 0) response.setHeader('content-range', `bytes ${start}-${file.bytes.length - 1}/${file.bytes.length}`);
    response.setHeader('content-length', file.bytes.length - start);
    response.writeHead(start > 0 ? 206 : 200);
    if (method === 'HEAD') return void response.end();
    await this.#send(file, start, response);
  }

  #startOf(file: Served, range: string | null, ifRange: string | undefined): number {
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
    if (!file.ranges || (ifRange !== undefined && ifRange !== file.etag)) return 0;
    return start < file.bytes.length ? start : 0;
  }

  async #send(file: Served, start: number, response: ServerResponse): Promise<void> {
    const cutAfter = file.cuts.shift();
    const end = cutAfter === undefined ? file.bytes.length : Math.min(file.bytes.length, start + cutAfter);
    const pieceBytes = Number.isFinite(file.bytesPerSecond) ? Math.max(1, Math.round(file.bytesPerSecond / 200)) : 65_536;
    for (let at = start; at < end && !response.destroyed; at += pieceBytes) {
      const isTaken = response.write(file.bytes.subarray(at, Math.min(end, at + pieceBytes)));
      if (!isTaken) await new Promise<void>((resolve) => response.once('drain', resolve).once('close', resolve));
      if (Number.isFinite(file.bytesPerSecond)) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (cutAfter === undefined) response.end();
    else setTimeout(() => response.destroy(), CUT_AFTER_MS);
  }
}

/** A file that begins as a GGUF does, seeded. */
export function modelBytes(sizeBytes: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  let state = seed >>> 0;
  for (let i = 0; i < sizeBytes; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  bytes.set(new TextEncoder().encode('GGUF'));
  return bytes;
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
