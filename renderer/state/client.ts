/** Which host this page talks to: Electron's preload exposes a client, else the browser host answers on this origin. */
import { clientOfBridge, type ConclaveBridge } from '../../main/contract/bridge.ts';
import type { ConclaveClient } from '../../main/contract/channels.ts';
import { httpClient } from './http-client.ts';

/** A host whose connection may break says so; `restored` means that events may have been missed. */
export type Connection = 'lost' | 'restored';

export interface PageClient extends ConclaveClient {
  onConnection?(listener: (connection: Connection) => void): () => void;
}

declare global {
  interface Window {
    /** Electron's preload puts it there. */
    readonly conclave?: ConclaveBridge;
  }
}

export function chooseClient(): PageClient {
  return window.conclave ? clientOfBridge(window.conclave) : httpClient();
}
