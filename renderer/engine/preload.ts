/**
 * The engine host: this preload is the whole program of its window. Takes `navigator.gpu` of the empty page, reads model files with
 * `fs` straight into the engine's staging memory, and serves main over the port it is handed.
 */
import { ipcRenderer } from 'electron';
import { openDevice } from '../../gpu/device/open-device.ts';
import { engineError } from '../../gpu/errors.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import { LocalEngine } from '../../gpu/runtime/local-engine.ts';
import type { EngineCommand } from '../../main/contract/engine-protocol.ts';
import { IPC } from '../../main/hosts/electron/ipc-names.ts';
import { openFileSource } from '../../main/library/file-source.ts';
import { serveEngine } from './serve.ts';

const engine = new LocalEngine({
  openSource: openFileSource,
  createEngine,
  openDevice() {
    if (!navigator.gpu) throw engineError('gpu.no-adapter', 'This system gives the app no WebGPU. Update the graphics driver.');
    return openDevice(navigator.gpu);
  },
});

ipcRenderer.once(IPC.enginePort, (event) => {
  const [port] = event.ports;
  serveEngine(
    {
      post: (report) => port.postMessage(report),
      onMessage(listener) {
        port.onmessage = (message: MessageEvent<EngineCommand>) => listener(message.data);
      },
    },
    engine,
  );
});
ipcRenderer.send(IPC.engineReady);
