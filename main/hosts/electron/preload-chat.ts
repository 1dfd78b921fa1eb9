/** The only thing a chat page is given. Runs sandboxed: no Node here, and what is exposed is copied, never shared. */
import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from 'electron';
import type { ConclaveBridge } from '../../contract/bridge.ts';
import { IPC } from './ipc-names.ts';

const bridge: ConclaveBridge = {
  request: (channel, request) => ipcRenderer.invoke(IPC.request, channel, request),
  on(event, listener) {
    const receive = (_: IpcRendererEvent, name: string, payload: unknown) => {
      if (name === event) listener(payload);
    };
    ipcRenderer.on(IPC.event, receive);
    return () => void ipcRenderer.off(IPC.event, receive);
  },
  pathOfDroppedFile: (file) => webUtils.getPathForFile(file as File),
};

contextBridge.exposeInMainWorld('conclave', bridge);
