/** The app once Electron is ready: services over the engine host, the chat window, and an end that loses nothing. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { app, dialog, protocol, shell, type BrowserWindow, type OpenDialogOptions } from 'electron';
import type { HostInfo, ModelEntry } from '../../contract/types.ts';
import { openBetterSqlite3 } from '../../database/better-sqlite3.ts';
import { workerFrom } from '../../documents/start-worker.ts';
import { modelFiles } from '../../library/gguf-model-files.ts';
import { createServices, type Services } from '../../services.ts';
import { openChatWindow } from './chat-window.ts';
import { EngineHostClient } from './engine-client.ts';
import { watchEngine } from './engine-watch.ts';
import { startEngineWindow } from './engine-window.ts';
import { afterGpuDeaths, afterNoAdapter, writeGpuState, type GpuState } from './gpu-mode.ts';
import { guardEverything } from './guards.ts';
import { answerRequests, sendEvent } from './ipc.ts';
import { electronKeyStore } from './key-store.ts';
import { setMenu } from './menu.ts';
import { startAgain } from './relaunch.ts';
import { SCHEME, serve } from './scheme.ts';

/** Longer than a commit and a submission take; a hung driver must not keep the app from ending. */
const CLOSE_LIMIT_MS = 5_000;

export interface RunningApp {
  show(): void;
  /** Takes the file into the library and loads it. */
  openModel(file: string): void;
}

export function startApp({ dataFolder, gpuState }: { readonly dataFolder: string; readonly gpuState: GpuState }): RunningApp {
  const built = path.join(app.getAppPath(), 'out');
  const preloads = path.join(built, 'preload');
  let chat: BrowserWindow | null = null;
  let again = false;

  protocol.handle(SCHEME, (request) => serve(request, path.join(built, 'renderer')));
  guardEverything();
  const engine = watchEngine(new EngineHostClient(() => startEngineWindow(preloads)), () => void restartInSoftware());
  const services = openServices();
  answerRequests(
    () => chat,
    (channel, request) => services.handle(channel, request),
  );
  services.on(({ name, payload }) => sendEvent(chat, name, payload));
  setMenu({ addModel: () => void services.handle('library.pick', {}).catch(showError) }, app.isPackaged);
  rememberGpuDeaths(dataFolder, gpuState);
  endOrderly(services, () => again);
  show();
  const started = services.start();

  return {
    show,
    openModel(file) {
      void started
        .then(() => services.handle('library.import', { path: file }))
        .then((model) => services.handle('library.select', { modelId: (model as ModelEntry).id }))
        .catch(showError);
    },
  };

  function openServices(): Services {
    const host: HostInfo = {
      kind: 'electron',
      version: app.getVersion(),
      dataFolder,
      fileDialog: true,
      dropGivesPath: true,
      fallbackReason: gpuState.reason,
    };
    const models = path.join(app.isPackaged ? process.resourcesPath : path.join(app.getAppPath(), 'resources'), 'models');
    try {
      return createServices({
        host,
        engine,
        files: modelFiles,
        openConnection: openBetterSqlite3,
        keyStore: electronKeyStore,
        builtInModelsFolder: existsSync(models) ? models : null,
        pickFile,
        pickDocuments,
        showInFolder: (file) => shell.showItemInFolder(file),
        startDocumentWorker: workerFrom(path.join(built, 'main', 'document-worker.cjs')),
      });
    } catch (error) {
      showError(error);
      app.exit(1);
      throw error;
    }
  }

  function show(): void {
    if (chat) {
      if (chat.isMinimized()) chat.restore();
      chat.focus();
      return;
    }
    chat = openChatWindow(dataFolder, preloads);
    chat.once('ready-to-show', tellLauncher);
    chat.on('closed', () => {
      chat = null;
      // The engine's hidden window keeps Electron from noticing that the last window is gone.
      if (process.platform !== 'darwin') app.quit();
    });
  }

  async function pickFile(): Promise<string | null> {
    const filters = [{ name: 'GGUF models', extensions: ['gguf'] }];
    return (await choose({ title: 'Add a model', properties: ['openFile'], filters }))?.[0] ?? null;
  }

  async function pickDocuments(what: 'files' | 'folder'): Promise<readonly string[] | null> {
    return what === 'folder'
      ? choose({ title: 'Add a folder', properties: ['openDirectory'] })
      : choose({ title: 'Add documents', properties: ['openFile', 'multiSelections'] });
  }

  /** Resolves with paths, or null when the dialog was closed. */
  async function choose(options: OpenDialogOptions): Promise<readonly string[] | null> {
    const { canceled, filePaths } = await (chat ? dialog.showOpenDialog(chat, options) : dialog.showOpenDialog(options));
    return canceled ? null : filePaths;
  }

  async function restartInSoftware(): Promise<void> {
    const next = afterNoAdapter(gpuState);
    if (!next) return;
    writeGpuState(dataFolder, next);
    again = true;
    app.quit();
  }
}

/** The launcher takes the browser host instead when no window comes up: this file says that it did. */
function tellLauncher(): void {
  const file = process.env.CONCLAVE_READY_FILE;
  if (!file) return;
  try {
    writeFileSync(file, '');
  } catch (error) {
    console.error(`The launcher could not be told (${(error as Error).message}).`); // it has ended, as after a relaunch
  }
}

function rememberGpuDeaths(dataFolder: string, gpuState: GpuState): void {
  let deaths = 0;
  app.on('child-process-gone', (_, { type, reason }) => {
    if (type !== 'GPU' || reason === 'clean-exit' || reason === 'killed') return;
    const next = afterGpuDeaths(gpuState, ++deaths);
    if (next) writeGpuState(dataFolder, next);
  });
}

/** What the page was shown is on disk already; this commits what is open and frees the folder, then ends whatever comes, or starts again. */
function endOrderly(services: Services, again: () => boolean): void {
  let closing = false;
  app.on('before-quit', (event) => {
    event.preventDefault();
    if (closing) return;
    closing = true;
    const limit = new Promise((resolve) => setTimeout(resolve, CLOSE_LIMIT_MS));
    void Promise.race([services.close().catch((error: unknown) => console.error(error)), limit]).then(() => {
      if (again()) startAgain();
      app.exit(0);
    });
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
}

function showError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  console.error(message);
  dialog.showErrorBox('Conclave', message);
}
