/** Names of the IPC channels. Apart from ipc.ts, because preloads use them too. */
export const IPC = {
  /** invoke(channel, request) → Reply */
  request: 'conclave:request',
  /** send(event, payload) */
  event: 'conclave:event',
  engineReady: 'conclave:engine-ready',
  enginePort: 'conclave:engine-port',
} as const;
