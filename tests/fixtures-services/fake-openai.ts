/** A server with OpenAI's protocol on 127.0.0.1, whose every reply a test scripts; what it was asked is kept. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface FakeOpenAi {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly host: string;
  readonly seen: {
    readonly method: string;
    readonly url: string;
    readonly headers: http.IncomingHttpHeaders;
    readonly body: string;
  }[];
  /** Connections that the client has ended, or that ended. */
  readonly closed: () => number;
  reply: (request: IncomingMessage, response: ServerResponse, body: string) => void;
  close(): Promise<void>;
}

export async function startFakeOpenAi(): Promise<FakeOpenAi> {
  const sockets = new Set<Socket>();
  let closed = 0;
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      fake.seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      fake.reply(request, response, body);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      closed++;
      sockets.delete(socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const fake: FakeOpenAi = {
    origin: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    seen: [],
    closed: () => closed,
    reply: (_, response) => response.writeHead(404).end(),
    async close() {
      const ended = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await ended;
    },
  };
  return fake;
}

export function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

export function beginStream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
}

export function piece(text: string | null, finish: string | null = null): string {
  return pieceOf(text === null ? {} : { content: text }, finish);
}

/** `delta` as a server may fill it, with fields beside `content`. */
export function pieceOf(delta: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
}

export const DONE = 'data: [DONE]\n\n';

/** Deltas one by one, then `ending` as it stands. */
export function streamDeltas(response: ServerResponse, deltas: readonly object[], ending: string): void {
  beginStream(response);
  for (const delta of deltas) response.write(pieceOf(delta));
  response.end(ending);
}

/** A whole, well-behaved answer. */
export function streamAnswer(response: ServerResponse, words: readonly string[], usage?: object): void {
  const counts = usage ? `data: ${JSON.stringify({ choices: [], usage })}\n\n` : '';
  streamDeltas(
    response,
    words.map((content) => ({ content })),
    `${piece(null, 'stop')}${counts}${DONE}`,
  );
}
