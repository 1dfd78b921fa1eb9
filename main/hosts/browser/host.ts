/**
 * The browser host as a function: services, server, links on the terminal, and an end that loses nothing. The engine is handed in, so
 * that tests run the whole host with a scripted one.
 */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { EngineClient } from '../../contract/engine.ts';
import type { ModelEntry } from '../../contract/types.ts';
import { openBetterSqlite3 } from '../../database/better-sqlite3.ts';
import type { ModelFiles } from '../../library/model-files.ts';
import { startDocumentWorker } from '../node/document-worker.ts';
import { createServices } from '../../services.ts';
import { openBrowser } from './open-browser.ts';
import { startServer } from './server.ts';

export interface BrowserHostOptions {
  readonly engine: EngineClient;
  readonly files: ModelFiles;
  readonly dataFolder: string;
  /** The built chat page. */
  readonly pageFolder: string;
  readonly builtInModelsFolder: string | null;
  readonly version: string;
  readonly fallbackReason: string | null;
  /** Open the user's browser. */
  readonly open: boolean;
  /** Model files to take into the library; the last one is loaded. Absolute paths. */
  readonly models: readonly string[];
  /** Lines for people. */
  readonly say: (line: string) => void;
  /** Each line typed here gives a new link. */
  readonly input?: Readable;
}

export interface RunningBrowserHost {
  readonly origin: string;
  /** Commits, ends the engine, closes the port. Calling it again waits for the same end. */
  close(): Promise<void>;
}

/** Serves when it resolves. Rejects with `data.*` when the data folder cannot be used. */
export async function runBrowserHost(options: BrowserHostOptions): Promise<RunningBrowserHost> {
  const { say } = options;
  const services = createServices({
    host: {
      kind: 'browser',
      version: options.version,
      dataFolder: options.dataFolder,
      fileDialog: false,
      dropGivesPath: false,
      fallbackReason: options.fallbackReason,
    },
    engine: options.engine,
    files: options.files,
    openConnection: openBetterSqlite3,
    startDocumentWorker,
    builtInModelsFolder: options.builtInModelsFolder,
  });
  const server = await startServer(services, options.pageFolder).catch(async (error: unknown) => {
    await services.close();
    throw error;
  });
  const link = server.newStartUrl();
  say(`Conclave: ${link}`);
  say('The link works once. Press Enter for a new one, Ctrl-C to end.');
  const lines = options.input ? createInterface({ input: options.input }) : null;
  lines?.on('line', () => say(`Conclave: ${server.newStartUrl()}`));
  void begin();
  if (options.open && !(await openBrowser(link))) say('No browser could be opened here: open the link in one yourself.');

  async function begin(): Promise<void> {
    try {
      await services.start();
      for (const path of options.models) {
        const { id } = (await services.handle('library.import', { path })) as ModelEntry;
        await services.handle('library.select', { modelId: id });
      }
    } catch (error) {
      say(error instanceof Error ? error.message : String(error));
    }
  }

  let closing: Promise<void> | null = null;
  return {
    origin: server.origin,
    close: () =>
      (closing ??= (async () => {
        lines?.close();
        await server.close();
        await services.close();
      })()),
  };
}
