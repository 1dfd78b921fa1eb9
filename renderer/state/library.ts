/** The Library's screen: the catalogue, what a repository holds, details of a model, and the downloads with their progress. */
import type {
  CatalogueEntry,
  DownloadEntry,
  DownloadSource,
  ModelDetails,
  RepositoryFile,
} from '../../main/contract/downloads.ts';
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { Announcer } from './announcer.ts';
import type { PageClient } from './client.ts';
import { errorTitle } from './error-text.ts';
import type { CatalogueFilter } from './library-words.ts';
import type { Notices } from './notices.ts';
import { Store } from './store.ts';

export type LookUp =
  | { readonly phase: 'idle' }
  | { readonly phase: 'asking'; readonly repository: string }
  | { readonly phase: 'found'; readonly repository: string; readonly revision: string; readonly files: readonly RepositoryFile[] }
  | { readonly phase: 'failed'; readonly repository: string; readonly error: WireError };

export interface OpenDetails {
  readonly modelId: string;
  /** null while the file is read. */
  readonly details: ModelDetails | null;
  readonly error: WireError | null;
}

export interface LibraryView {
  readonly phase: 'loading' | 'ready' | 'failed';
  readonly error: WireError | null;
  readonly catalogue: readonly CatalogueEntry[];
  readonly downloads: readonly DownloadEntry[];
  readonly filter: CatalogueFilter;
  readonly lookUp: LookUp;
  readonly details: OpenDetails | null;
}

const START: LibraryView = {
  phase: 'loading',
  error: null,
  catalogue: [],
  downloads: [],
  filter: { text: '', show: 'all' },
  lookUp: { phase: 'idle' },
  details: null,
};

export class Library extends Store<LibraryView> {
  readonly #client: PageClient;
  readonly #notices: Notices;
  readonly #announcer: Announcer;
  readonly #select: (modelId: string) => Promise<void>;
  #lookUps = 0;

  constructor(client: PageClient, notices: Notices, announcer: Announcer, select: (modelId: string) => Promise<void>) {
    super(START);
    this.#client = client;
    this.#notices = notices;
    this.#announcer = announcer;
    this.#select = select;
    client.on('downloads.changed', ({ downloads }) => this.#take(downloads));
    client.on('downloads.progress', ({ id, ...change }) =>
      this.patch({
        downloads: this.value.downloads.map((download) => (download.id === id ? { ...download, ...change } : download)),
      }),
    );
    client.on('downloads.finished', ({ name, modelId }) => this.#finished(name, modelId));
    // A load tells the host what this computer can do, and with it what fits.
    client.on('engine.status', ({ state }) => {
      if (state === 'ready' && this.value.phase === 'ready') void this.load();
    });
    client.onConnection?.((connection) => {
      if (connection === 'restored' && this.value.phase !== 'loading') void this.load();
    });
  }

  /** Contacts nobody: both lists are on this computer. */
  async load(): Promise<void> {
    try {
      const [catalogue, downloads] = await Promise.all([
        this.#client.request('library.catalogue', {}),
        this.#client.request('downloads.list', {}),
      ]);
      this.patch({ phase: 'ready', error: null, catalogue, downloads });
    } catch (error) {
      this.patch({ phase: 'failed', error: toWireError(error) });
    }
  }

  setFilter(change: Partial<CatalogueFilter>): void {
    this.patch({ filter: { ...this.value.filter, ...change } });
  }

  /** Resolves to whether it was begun. */
  async download(source: DownloadSource): Promise<boolean> {
    return this.#notices.attempt(async () => {
      const { name } = await this.#client.request('downloads.start', { source });
      this.#announcer.say(`The download of ${name} has begun.`);
    });
  }

  async pause(downloadId: string): Promise<void> {
    await this.#notices.attempt(() => this.#client.request('downloads.pause', { downloadId }));
  }

  async resume(downloadId: string): Promise<void> {
    await this.#notices.attempt(() => this.#client.request('downloads.resume', { downloadId }));
  }

  async cancel(downloadId: string): Promise<void> {
    await this.#notices.attempt(() => this.#client.request('downloads.cancel', { downloadId }));
  }

  /** Only the newest question counts. */
  async lookUp(repository: string, revision: string): Promise<void> {
    const turn = ++this.#lookUps;
    this.patch({ lookUp: { phase: 'asking', repository } });
    try {
      const { files } = await this.#client.request('library.lookUp', { repository, revision });
      if (turn === this.#lookUps) this.patch({ lookUp: { phase: 'found', repository, revision, files } });
    } catch (error) {
      if (turn === this.#lookUps) this.patch({ lookUp: { phase: 'failed', repository, error: toWireError(error) } });
    }
  }

  forgetLookUp(): void {
    this.#lookUps++;
    this.patch({ lookUp: { phase: 'idle' } });
  }

  /** Opens the details of a model, or closes them when they are open. */
  async toggleDetails(modelId: string): Promise<void> {
    if (this.value.details?.modelId === modelId) return this.patch({ details: null });
    this.patch({ details: { modelId, details: null, error: null } });
    try {
      const details = await this.#client.request('library.details', { modelId });
      if (this.value.details?.modelId === modelId) this.patch({ details: { modelId, details, error: null } });
    } catch (error) {
      if (this.value.details?.modelId === modelId) this.patch({ details: { modelId, details: null, error: toWireError(error) } });
    }
  }

  #take(downloads: readonly DownloadEntry[]): void {
    for (const download of downloads) {
      const before = this.value.downloads.find(({ id }) => id === download.id);
      if (download.state === 'failed' && before && before.state !== 'failed' && download.error)
        this.#announcer.say(`The download of ${download.name} stopped: ${errorTitle(download.error)}.`);
    }
    this.patch({ downloads });
  }

  #finished(name: string, modelId: string): void {
    const action = { label: 'Use it', run: () => void this.#select(modelId) };
    this.#notices.show({ tone: 'quiet', title: 'A model has arrived in the Library', text: name, action }, 12_000);
    this.#announcer.say(`${name} has arrived in the Library.`);
  }
}
