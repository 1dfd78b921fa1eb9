/** Server-Sent Events to every open page. A page that cannot keep up is disconnected; it comes back and reads the state anew. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnyEvent } from '../../event-bus.ts';
import { beginReply } from './replies.ts';

const MOST_WAITING_BYTES = 16 * 2 ** 20;
/** Below the idle limits of proxies and browsers. */
const HEARTBEAT_MS = 20_000;

export class EventStream {
  readonly #open = new Set<ServerResponse>();
  readonly #heartbeat = setInterval(() => this.#write(':\n\n'), HEARTBEAT_MS).unref();

  connect(request: IncomingMessage, response: ServerResponse): void {
    beginReply(response, 200, { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' });
    response.write('retry: 1000\n\n');
    this.#open.add(response);
    request.socket.setNoDelay(true);
    response.on('close', () => this.#open.delete(response));
  }

  send({ name, payload }: AnyEvent): void {
    this.#write(`event: ${name}\ndata: ${JSON.stringify(payload)}\n\n`);
  }

  close(): void {
    clearInterval(this.#heartbeat);
    for (const response of this.#open) response.end();
  }

  #write(text: string): void {
    for (const response of this.#open) {
      response.write(text);
      if (response.writableLength > MOST_WAITING_BYTES) response.destroy();
    }
  }
}
