/**
 * What Electron's preload puts on `window.conclave`, and the client made of it. An Error loses its code on the way between the
 * preload's world and the page's, so a reply crosses as data and becomes an error again here.
 */
import type { Channel, ConclaveClient, EventName, Events, RequestOf, ResponseOf } from './channels.ts';
import { fromWireError, type WireError } from './errors.ts';

export type Reply = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: WireError };

export interface ConclaveBridge {
  /** Never rejects. */
  request(channel: string, request: unknown): Promise<Reply>;
  on(event: string, listener: (payload: unknown) => void): () => void;
  /** Empty when the file does not come from a disk. */
  pathOfDroppedFile(file: unknown): string;
}

export function clientOfBridge(bridge: ConclaveBridge): ConclaveClient {
  return {
    async request<C extends Channel>(channel: C, request: RequestOf<C>): Promise<ResponseOf<C>> {
      const reply = await bridge.request(channel, request);
      if (!reply.ok) throw fromWireError(reply.error);
      return reply.value as ResponseOf<C>;
    },
    on<E extends EventName>(event: E, listener: (payload: Events[E]) => void): () => void {
      return bridge.on(event, (payload) => listener(payload as Events[E]));
    },
    async pathOfDroppedFile(file): Promise<string> {
      const path = bridge.pathOfDroppedFile(file);
      if (path) return path;
      throw fromWireError({
        code: 'file.read',
        message: `${file.name} has no path on this computer. Save it to a folder first, then drop it from there.`,
        details: { name: file.name },
      });
    },
  };
}
