/**
 * Everything that crosses between main and the windows, by name: requests and events of the chat page, the port of the engine
 * host. Only the main frame of our own window with our own address is answered; anybody else gets `request.refused`.
 */
import { ipcMain, MessageChannelMain, type BrowserWindow, type IpcMainEvent, type IpcMainInvokeEvent } from 'electron';
import type { Reply } from '../../contract/bridge.ts';
import type { EventName, Events } from '../../contract/channels.ts';
import type { EngineCommand, EnginePort, EngineReport } from '../../contract/engine-protocol.ts';
import { serviceError, toWireError } from '../../contract/errors.ts';
import { IPC } from './ipc-names.ts';
import { isOurPage, type PageName } from './scheme.ts';

/** `handle` gets what the page sent as it came: it checks channel and payload. */
export function answerRequests(
  window: () => BrowserWindow | null,
  handle: (channel: string, request: unknown) => Promise<unknown>,
): void {
  ipcMain.handle(IPC.request, async (event, channel: unknown, request: unknown): Promise<Reply> => {
    try {
      if (!isFrom(event, window(), 'chat'))
        throw serviceError('request.refused', 'This request did not come from a window of Conclave.');
      if (typeof channel !== 'string') throw serviceError('request.invalid', 'A request names its channel.');
      return { ok: true, value: await handle(channel, request) };
    } catch (error) {
      return { ok: false, error: toWireError(error) };
    }
  });
}

export function sendEvent<E extends EventName>(window: BrowserWindow | null, event: E, payload: Events[E]): void {
  if (window && !window.isDestroyed()) window.webContents.send(IPC.event, event, payload);
}

/** Waits for the engine host's preload to say that it runs, then gives it one end of a new port. */
export function connectEngine(window: BrowserWindow, limitMs: number): Promise<EnginePort<EngineCommand, EngineReport>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(new Error(`its window did not answer within ${limitMs / 1000} s`)), limitMs);
    const onReady = (event: IpcMainEvent) => {
      if (isFrom(event, window, 'engine')) finish(null);
    };
    const onClosed = () => finish(new Error('its window closed while it started'));
    ipcMain.on(IPC.engineReady, onReady);
    window.once('closed', onClosed);

    function finish(error: Error | null): void {
      clearTimeout(timer);
      ipcMain.off(IPC.engineReady, onReady);
      window.off('closed', onClosed);
      if (error) reject(error);
      else resolve(openPort(window));
    }
  });
}

function openPort(window: BrowserWindow): EnginePort<EngineCommand, EngineReport> {
  const { port1, port2 } = new MessageChannelMain();
  window.webContents.postMessage(IPC.enginePort, null, [port2]);
  return {
    post: (message) => port1.postMessage(message),
    onMessage(listener) {
      port1.on('message', (event) => listener(event.data as EngineReport));
      port1.start();
    },
  };
}

function isFrom(event: IpcMainEvent | IpcMainInvokeEvent, window: BrowserWindow | null, page: PageName): boolean {
  const frame = event.senderFrame;
  if (!frame || !window || window.isDestroyed()) return false;
  return event.sender === window.webContents && frame === window.webContents.mainFrame && isOurPage(frame.url, page);
}
