/** The Library of the scripted client: a catalogue, downloads that go on by the clock, a repository. Development and tests only. */
import type { DownloadEntry, DownloadSource, LibraryEvents, LibraryRequests } from '../../main/contract/downloads.ts';
import { serviceError } from '../../main/contract/errors.ts';
import type { ModelEntry } from '../../main/contract/types.ts';
import type { Clock } from './clock.ts';
import { CATALOGUE, details, DOWNLOAD, DOWNLOADS, REPOSITORY_FILES } from './fake-library-data.ts';
import type { ScenarioName } from './fake-scenarios.ts';

type Emit = <E extends keyof LibraryEvents>(event: E, payload: LibraryEvents[E]) => void;
type Handlers = { [C in keyof LibraryRequests]: (request: LibraryRequests[C]['request']) => LibraryRequests[C]['response'] };

const STEP_MS = 100;
const STEPS = 12;
const BEGUN_BYTES = 4_213_512_192;

export class FakeLibrary {
  readonly #clock: Clock;
  readonly #emit: Emit;
  readonly #isOffline: boolean;
  readonly #models: () => readonly ModelEntry[];
  /** A download that is whole becomes this model. */
  readonly #adopt: (name: string) => ModelEntry;
  #downloads: readonly DownloadEntry[];
  #nextId = 1;

  constructor(
    clock: Clock,
    name: ScenarioName,
    emit: Emit,
    models: () => readonly ModelEntry[],
    adopt: (name: string) => ModelEntry,
  ) {
    this.#clock = clock;
    this.#emit = emit;
    this.#isOffline = name === 'offline';
    this.#models = models;
    this.#adopt = adopt;
    this.#downloads = name === 'library' ? DOWNLOADS : [];
  }

  readonly handlers: Handlers = {
    'library.catalogue': () => CATALOGUE,
    'library.lookUp': (request) => {
      if (this.#isOffline)
        throw serviceError('download.network', 'huggingface.co could not be reached. This computer may be offline.', {});
      if (request.repository.endsWith('/gated'))
        throw serviceError('download.refused', 'huggingface.co does not give this file to everyone (401).', {});
      return { ...request, files: request.repository.endsWith('/none') ? [] : REPOSITORY_FILES };
    },
    'library.details': ({ modelId }) => {
      const model = this.#models().find(({ id }) => id === modelId);
      if (!model) throw serviceError('model.missing', 'This model is not in the library any more.', { modelId });
      if (model.status === 'missing') throw serviceError('model.missing', `${model.path} is not there any more.`, { modelId });
      return details(modelId, model.path, model.owned);
    },
    'downloads.list': () => this.#downloads,
    'downloads.start': ({ source }) => this.#start(source),
    'downloads.pause': ({ downloadId }) => this.#change(downloadId, { state: 'paused', bytesPerSecond: null, remainingMs: null }),
    'downloads.resume': ({ downloadId }) => {
      this.#change(downloadId, { state: 'running', error: null });
      this.#goOn(downloadId);
      return null;
    },
    'downloads.cancel': ({ downloadId }) => {
      this.#find(downloadId);
      this.#set(this.#downloads.filter(({ id }) => id !== downloadId));
      return null;
    },
  };

  #start(source: DownloadSource): DownloadEntry {
    const name = nameOf(source);
    if (this.#downloads.some((known) => known.name === name))
      throw serviceError('download.exists', `${name} is among the downloads already.`, { name });
    const host = source.kind === 'url' ? new URL(source.url).host : 'huggingface.co';
    const checksum =
      source.kind === 'catalogue' ? 'catalogue' : source.kind === 'url' ? (source.sha256 ? 'person' : null) : 'server';
    const download: DownloadEntry = {
      ...DOWNLOAD,
      id: `download-${this.#nextId++}`,
      name,
      host,
      checksum,
      receivedBytes: 0,
      totalBytes: BEGUN_BYTES,
      bytesPerSecond: null,
      remainingMs: null,
    };
    this.#set([...this.#downloads, download]);
    if (this.#isOffline) {
      const message = `${host}: its name could not be looked up; this computer may be offline. The next try follows by itself.`;
      this.#clock.after(STEP_MS, () =>
        this.#change(download.id, { state: 'waiting', error: { code: 'download.network', message, details: {} } }),
      );
    } else this.#goOn(download.id);
    return download;
  }

  #goOn(id: string): void {
    this.#clock.after(STEP_MS, () => {
      const download = this.#downloads.find((known) => known.id === id);
      if (download?.state !== 'running') return;
      const totalBytes = download.totalBytes ?? BEGUN_BYTES;
      const receivedBytes = Math.min(totalBytes, download.receivedBytes + totalBytes / STEPS);
      if (receivedBytes === totalBytes) return this.#finish(download);
      const bytesPerSecond = totalBytes / STEPS / (STEP_MS / 1000);
      const progress = {
        totalBytes,
        receivedBytes,
        bytesPerSecond,
        remainingMs: ((totalBytes - receivedBytes) * 1000) / bytesPerSecond,
      };
      this.#downloads = this.#downloads.map((known) => (known.id === id ? { ...known, ...progress } : known));
      this.#emit('downloads.progress', { id, ...progress });
      this.#goOn(id);
    });
  }

  #finish({ id, name }: DownloadEntry): void {
    this.#set(this.#downloads.filter((known) => known.id !== id));
    this.#emit('downloads.finished', { downloadId: id, name, modelId: this.#adopt(name).id });
  }

  #change(id: string, change: Partial<DownloadEntry>): null {
    this.#find(id);
    this.#set(this.#downloads.map((download) => (download.id === id ? { ...download, ...change } : download)));
    return null;
  }

  #find(id: string): void {
    if (!this.#downloads.some((download) => download.id === id))
      throw serviceError('download.missing', 'This download has ended or was cancelled.', { downloadId: id });
  }

  #set(downloads: readonly DownloadEntry[]): void {
    this.#downloads = downloads;
    this.#emit('downloads.changed', { downloads });
  }
}

function nameOf(source: DownloadSource): string {
  if (source.kind === 'catalogue') {
    const entry = CATALOGUE.find(({ id }) => id === source.entryId)!;
    return `${entry.name} ${entry.files.find(({ name }) => name === source.fileName)!.quantisation}`;
  }
  const path = source.kind === 'url' ? new URL(source.url).pathname : source.file;
  return (path.split('/').at(-1) ?? path).replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '');
}
