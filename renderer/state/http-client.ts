/**
 * The browser host's client. Requests are `POST /api/<channel>` with a JSON body, answered `{ok: true, value}` or
 * `{ok: false, error}`; events come as Server-Sent Events from `GET /api/events`; a dropped file goes to `POST /api/upload?name=`
 * and is answered with the path of its copy. The session is a cookie of this origin.
 */
import type { Channel, EventName, Events, RequestOf, ResponseOf } from '../../main/contract/channels.ts';
import { fromWireError, serviceError, type WireError } from '../../main/contract/errors.ts';
import type { Connection, PageClient } from './client.ts';

type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: WireError };

/** Browsers refuse a larger body with `keepalive`, which lets a request outlive its page (64 KiB in all, with headers). */
const KEEPALIVE_CHARS = 16_000;

export function httpClient(): PageClient {
  const connectionListeners = new Set<(connection: Connection) => void>();
  let source: EventSource | null = null;
  let lost = false;

  const tell = (connection: Connection): void => {
    for (const listener of connectionListeners) listener(connection);
  };
  const events = (): EventSource => {
    if (source) return source;
    source = new EventSource('/api/events');
    source.addEventListener('error', () => {
      if (!lost) tell('lost');
      lost = true;
    });
    source.addEventListener('open', () => {
      if (lost) tell('restored');
      lost = false;
    });
    return source;
  };

  return {
    async request<C extends Channel>(channel: C, request: RequestOf<C>): Promise<ResponseOf<C>> {
      const body = JSON.stringify(request);
      const response = await fetch(`/api/${channel}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        credentials: 'same-origin',
        keepalive: body.length < KEEPALIVE_CHARS,
        body,
      }).catch((cause: unknown) => {
        throw unreachable(cause);
      });
      return unwrap<ResponseOf<C>>(await response.text(), response.status);
    },

    on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): () => void {
      const receive = (message: MessageEvent<string>): void => listener(JSON.parse(message.data) as Events[E]);
      const stream = events();
      stream.addEventListener(event, receive);
      return () => stream.removeEventListener(event, receive);
    },

    pathOfDroppedFile(file, onProgress): Promise<string> {
      return new Promise((resolve, reject) => {
        const upload = new XMLHttpRequest(); // fetch cannot report how much of a body was sent
        upload.open('POST', `/api/upload?name=${encodeURIComponent(file.name)}`);
        upload.setRequestHeader('content-type', 'application/octet-stream');
        upload.upload.addEventListener('progress', (progress) => onProgress?.(progress.loaded, file.size));
        upload.addEventListener('load', () => {
          try {
            resolve(unwrap<{ path: string }>(upload.responseText, upload.status).path);
          } catch (error) {
            reject(error as Error);
          }
        });
        upload.addEventListener('error', () => reject(unreachable(undefined)));
        upload.send(file);
      });
    },

    onConnection(listener): () => void {
      connectionListeners.add(listener);
      return () => connectionListeners.delete(listener);
    },
  };
}

function unwrap<T>(text: string, status: number): T {
  let reply: Reply<T>;
  try {
    reply = JSON.parse(text) as Reply<T>;
  } catch (cause) {
    throw serviceError('internal', `Conclave answered with something that is not JSON (HTTP ${status}).`, { status }, cause);
  }
  if (!reply.ok) throw fromWireError(reply.error);
  return reply.value;
}

function unreachable(cause: unknown): Error {
  return serviceError(
    'engine.crashed',
    'Conclave does not answer. Check that it still runs in its terminal, then reload this page.',
    {},
    cause,
  );
}
