/**
 * The browser host's HTTP server: the chat page's files, the contract's requests, events and uploads, on 127.0.0.1 only. Every request is
 * checked before anything is done: Host, then session, then (for what changes something) Origin. There are no CORS headers.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serviceError } from '../../contract/errors.ts';
import type { Services } from '../../services.ts';
import { Access } from './access.ts';
import { readJson } from './body.ts';
import { receiveDocument, removeUnusedDocuments } from './document-upload.ts';
import { EventStream } from './event-stream.ts';
import { redirect, reply, replyError, replyText, replyValue } from './replies.ts';
import { staticFiles, type StaticFile } from './static-files.ts';
import { receiveUpload, removeLeftovers } from './upload.ts';

export interface BrowserHost {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** A link that opens the page, once. */
  newStartUrl(): string;
  close(): Promise<void>;
}

const NO_SESSION = 'This page is opened by the link that Conclave shows in its terminal. Press Enter there for a new link.';
const USED_LINK = 'This link was used already, or is not one of ours. Press Enter in the terminal for a new one.';

/** Listens when it resolves. `pageFolder` is the built page (out/renderer). */
export async function startServer(services: Services, pageFolder: string): Promise<BrowserHost> {
  await removeLeftovers(services.modelsFolder);
  await removeUnusedDocuments(services);
  const files = staticFiles(pageFolder);
  const events = new EventStream();
  const endSubscription = services.on((event) => events.send(event));
  const server = createServer();
  server.requestTimeout = 0; // uploads of many gigabytes; headers still have a limit
  await listen(server);
  const access = new Access((server.address() as AddressInfo).port);
  const context: Context = { services, access, files, events };
  server.on('request', (request, response) => {
    respond(context, request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else replyError(response, error, { Connection: 'close' }); // what is left of a refused body is not waited for
    });
  });
  return {
    origin: access.origin,
    newStartUrl: () => access.newStartUrl(),
    close: async () => {
      endSubscription();
      events.close();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Context {
  readonly services: Services;
  readonly access: Access;
  readonly files: ReadonlyMap<string, StaticFile>;
  readonly events: EventStream;
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function respond(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { access } = context;
  if (!access.hasOurHost(request)) return replyText(response, 403, 'This address is not ours.');
  const url = URL.parse(request.url ?? '/', access.origin);
  if (!url) return replyText(response, 400, 'This address cannot be read.');
  if (request.method === 'GET' && url.pathname === '/start') return start(context, url, request, response);
  if (url.pathname.startsWith('/api/')) return api(context, url, request, response);
  if (request.method !== 'GET' && request.method !== 'HEAD') return replyText(response, 405, 'Only GET is possible here.');
  if (!access.hasSession(request)) return replyText(response, 403, NO_SESSION);
  const file = context.files.get(url.pathname);
  if (!file) return replyText(response, 404, 'There is no such page.');
  reply(response, 200, file.type, file.read());
}

function start({ access }: Context, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const cookie = access.redeem(url.searchParams.get('token') ?? '');
  if (cookie !== null) return redirect(response, '/', { 'Set-Cookie': cookie });
  if (access.hasSession(request)) return redirect(response, '/');
  replyText(response, 403, USED_LINK);
}

async function api(context: Context, url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { access, services, events } = context;
  const name = url.pathname.slice('/api/'.length);
  if (!access.hasSession(request)) throw serviceError('request.refused', NO_SESSION);
  if (request.method === 'GET' && name === 'events') {
    if (!access.isNotForeign(request)) throw foreign();
    return events.connect(request, response);
  }
  if (request.method !== 'POST') throw serviceError('request.refused', `${request.method ?? ''} is not possible here.`);
  if (!access.hasOurOrigin(request)) throw foreign();
  if (name === 'upload') {
    const given = url.searchParams.get('name') ?? '';
    const path = /[.]gguf$/i.test(given)
      ? await receiveUpload(request, given, services.modelsFolder)
      : await receiveDocument(request, given, services.documentsFolder);
    return replyValue(response, { path });
  }
  replyValue(response, await services.handle(name, await readJson(request)));
}

function foreign() {
  return serviceError('request.refused', 'This request does not come from the Conclave page.');
}
