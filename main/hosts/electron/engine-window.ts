/**
 * The engine host: a hidden window whose code is its preload (renderer/engine). Its page is empty and may load nothing; only the
 * preload has Node, for reading model files. Never throttled in the background.
 */
import path from 'node:path';
import { BrowserWindow } from 'electron';
import type { EngineHost } from './engine-client.ts';
import { connectEngine } from './ipc.ts';
import { pageAddress } from './scheme.ts';
import { serviceError } from '../../contract/errors.ts';

/** Starting a renderer takes under a second; a machine that swaps may need many. */
const START_LIMIT_MS = 30_000;

export async function startEngineWindow(preloadFolder: string): Promise<EngineHost> {
  const window = new BrowserWindow({
    show: false,
    title: 'Conclave engine',
    skipTaskbar: true,
    webPreferences: {
      preload: path.join(preloadFolder, 'engine.cjs'),
      sandbox: false,
      contextIsolation: true,
      nodeIntegration: false,
      backgroundThrottling: false,
      spellcheck: false,
    },
  });
  let ended = false;
  const died = new Promise<string>((resolve) => {
    window.webContents.on('render-process-gone', (_, { reason, exitCode }) => {
      if (!ended) resolve(`${reason}, exit code ${exitCode}`);
      if (!window.isDestroyed()) window.destroy();
    });
    window.on('closed', () => {
      if (!ended) resolve('its window was closed');
    });
  });
  window.webContents.on('preload-error', (_, file, error) => console.error(`${file}: ${error.stack ?? error.message}`));
  const end = () => {
    ended = true;
    if (!window.isDestroyed()) window.destroy();
  };
  try {
    const connected = connectEngine(window, START_LIMIT_MS);
    await Promise.all([window.loadURL(pageAddress('engine')), connected]);
    return { port: await connected, died, end };
  } catch (error) {
    end();
    throw serviceError('engine.crashed', `The engine could not be started: ${(error as Error).message}.`, {}, error);
  }
}
