/** What the whole page shares: the host, the settings, the models and the engine's state, and bringing models in. */
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { AppState, EngineStatus, HostInfo, ModelEntry, Settings } from '../../main/contract/types.ts';
import type { RemoteModel, RemoteServer } from '../../main/contract/remote.ts';
import type { PageClient } from './client.ts';
import type { Notices } from './notices.ts';
import { Store } from './store.ts';

export interface Importing {
  readonly name: string;
  /** null where the host only reads the file in place. */
  readonly progress: { readonly done: number; readonly total: number } | null;
}

export interface AppView {
  readonly phase: 'connecting' | 'ready' | 'failed';
  readonly error: WireError | null;
  readonly connectionLost: boolean;
  readonly host: HostInfo | null;
  readonly settings: Settings | null;
  readonly engine: EngineStatus;
  readonly models: readonly ModelEntry[];
  readonly servers: readonly RemoteServer[];
  readonly importing: Importing | null;
  readonly importError: WireError | null;
}

const START: AppView = {
  phase: 'connecting',
  error: null,
  connectionLost: false,
  host: null,
  settings: null,
  engine: { state: 'idle' },
  models: [],
  servers: [],
  importing: null,
  importError: null,
};

/** `name-00002-of-00005.gguf`: a later part of a split model comes with its first. */
const LATER_PART = /-(?!0*1-of-)\d{1,5}-of-\d{1,5}\.gguf$/i;

export class App extends Store<AppView> {
  readonly #client: PageClient;
  readonly #notices: Notices;
  #settingsSequence = 0;

  constructor(client: PageClient, notices: Notices) {
    super(START);
    this.#client = client;
    this.#notices = notices;
    client.on('engine.status', (engine) => this.patch({ engine }));
    client.on('library.changed', ({ models }) => this.patch({ models }));
    client.on('remote.changed', ({ servers }) => this.patch({ servers }));
    client.on('settings.changed', (settings) => this.patch({ settings }));
    client.onConnection?.((connection) => {
      this.patch({ connectionLost: connection === 'lost' });
      if (connection === 'restored') void this.start();
    });
  }

  /** null also while a server's model is chosen; `selectedRemote` is that. */
  get selectedModel(): ModelEntry | null {
    const id = this.#selectedId;
    return this.value.models.find((model) => model.id === id) ?? null;
  }

  get selectedRemote(): { readonly server: RemoteServer; readonly model: RemoteModel } | null {
    const id = this.#selectedId;
    for (const server of this.value.servers) for (const model of server.models) if (model.id === id) return { server, model };
    return null;
  }

  get #selectedId(): string | null {
    const { settings, engine } = this.value;
    return engine.state === 'ready' || engine.state === 'loading' ? engine.modelId : (settings?.selectedModelId ?? null);
  }

  async start(): Promise<void> {
    try {
      const { host, settings, engine, models, remote }: AppState = await this.#client.request('app.state', {});
      this.patch({ phase: 'ready', error: null, host, settings, engine, models, servers: remote.servers });
    } catch (error) {
      if (this.value.phase !== 'ready') this.patch({ phase: 'failed', error: toWireError(error) });
      else this.#notices.error(toWireError(error));
    }
  }

  /** Shows the change at once and takes it back if the host refuses it. */
  async updateSettings(change: Partial<Settings>): Promise<WireError | null> {
    const before = this.value.settings;
    const sequence = ++this.#settingsSequence;
    if (before) this.patch({ settings: { ...before, ...change } });
    try {
      const settings = await this.#client.request('settings.update', change);
      if (sequence === this.#settingsSequence) this.patch({ settings });
      return null;
    } catch (error) {
      if (sequence === this.#settingsSequence) this.patch({ settings: before });
      return toWireError(error);
    }
  }

  async selectModel(modelId: string): Promise<void> {
    const { settings } = this.value;
    if (settings) this.patch({ settings: { ...settings, selectedModelId: modelId } });
    await this.#notices.attempt(() => this.#client.request('library.select', { modelId }));
  }

  async removeModel(modelId: string): Promise<void> {
    await this.#notices.attempt(() => this.#client.request('library.remove', { modelId }));
  }

  /** Resolves to whether a usable model came in; so do the next two. What went wrong is in `importError`. */
  async pickModel(): Promise<boolean> {
    let chosen = false;
    const ok = await this.#import('', async () => {
      const model = await this.#client.request('library.pick', {});
      chosen = model !== null;
      return model;
    });
    return ok && chosen;
  }

  async importPath(path: string): Promise<boolean> {
    return this.#import(baseName(path), () => this.#client.request('library.import', { path }));
  }

  /** Files dropped on the window: every file gets a path (or is uploaded), then each model's first part is added. */
  async dropFiles(files: readonly File[]): Promise<boolean> {
    const models = files.filter((file) => /\.gguf$/i.test(file.name));
    if (models.length === 0) {
      const name = files[0]?.name ?? 'That';
      const message = `${name} was not added: Conclave runs models in the GGUF format, whose files end in .gguf.`;
      this.patch({ importError: { code: 'gguf.not-gguf', message, details: { name } } });
      return false;
    }
    const paths: string[] = [];
    for (const file of models) {
      const ok = await this.#import(file.name, async () => {
        const path = await this.#client.pathOfDroppedFile(file, (done, total) =>
          this.patch({ importing: { name: file.name, progress: { done, total } } }),
        );
        if (!LATER_PART.test(file.name)) paths.push(path);
        return null;
      });
      if (!ok) return false;
    }
    for (const path of paths) if (!(await this.importPath(path))) return false;
    return true;
  }

  dismissImportError(): void {
    this.patch({ importError: null });
  }

  /** A model that was just brought in is the one to be used, so it is chosen at once. */
  async #import(name: string, bring: () => Promise<ModelEntry | null>): Promise<boolean> {
    this.patch({ importing: { name, progress: null }, importError: null });
    try {
      const model = await bring();
      this.patch({ importing: null });
      if (model) {
        if (!this.value.models.some((known) => known.id === model.id)) this.patch({ models: [...this.value.models, model] });
        if (model.status === 'usable') await this.selectModel(model.id);
        else if (model.problem) this.patch({ importError: model.problem });
        return model.status === 'usable';
      }
      return true;
    } catch (error) {
      this.patch({ importing: null, importError: toWireError(error) });
      return false;
    }
  }
}

function baseName(path: string): string {
  return path.split(/[\\/]/).at(-1) ?? path;
}
