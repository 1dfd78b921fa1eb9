/**
 * Models on their way here. One runs at a time, the others wait their turn. Every step is committed before the next begins, and each can be
 * taken again: whatever ends this process, the next start goes on with what was wanted, loses nothing and takes nothing in twice.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { isConclaveError } from '../../../gpu/errors.ts';
import { invariant } from '../../../gpu/invariant.ts';
import type { Clock } from '../../clock.ts';
import type { ChecksumSource, DownloadEntry, DownloadSource } from '../../contract/downloads.ts';
import { serviceError, toWireError, type WireError } from '../../contract/errors.ts';
import {
  deleteDownload,
  insertDownload,
  listDownloadFiles,
  listDownloads,
  saveDownloadFile,
  setDownloadState,
  type DownloadFileRecord,
  type DownloadRecord,
} from '../../database/downloads.ts';
import type { WriteDb } from '../../database/handles.ts';
import type { EventBus } from '../../event-bus.ts';
import { catalogueModels, type CatalogueModel } from '../catalogue.ts';
import { checkSpace, settle } from './part-file.ts';
import { askRemote, type Fetch } from './remote.ts';
import { wantedModel } from './sources.ts';
import { Speed } from './speed.ts';
import { StallWatch } from './stall-watch.ts';
import { transfer } from './transfer.ts';

/** Pages need no more than this to look smooth. */
const TELL_EVERY_MS = 250;

export interface DownloadDependencies {
  readonly db: WriteDb;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly fetch: Fetch;
  /** `https://huggingface.co`; tests have their own. */
  readonly huggingFace: string;
  readonly catalogue?: readonly CatalogueModel[];
  /** Where files lie while they grow, and where they go when they are whole. On one disk. */
  readonly partsFolder: string;
  readonly modelsFolder: string;
  /** Takes a whole file into the library, once, and returns the id of its model. */
  readonly adopt: (filePath: string) => Promise<string>;
}

interface Running {
  readonly id: string;
  readonly controller: AbortController;
  readonly speed: Speed;
  phase: DownloadEntry['state'];
  /** Of the file in progress. */
  position: number;
  fileBytes: number;
  error: WireError | null;
  toldAtMs: number;
  ended: Promise<void>;
}

export class DownloadService {
  readonly #deps: DownloadDependencies;
  #running: Running | null = null;
  #isOpen = false;
  #isClosed = false;

  constructor(deps: DownloadDependencies) {
    this.#deps = deps;
  }

  list(): readonly DownloadEntry[] {
    return listDownloads(this.#deps.db).map((record) => this.#entryOf(record));
  }

  /** Nothing runs and nothing waits for its turn. */
  get isIdle(): boolean {
    return this.#running === null;
  }

  /** Clears what a crash left and goes on with what was wanted when the app ended. */
  async open(): Promise<void> {
    const known = new Set(listDownloads(this.#deps.db).map(({ id }) => id));
    const found = await readdir(this.#deps.partsFolder).catch(() => [] as string[]);
    for (const name of found)
      if (!known.has(name)) await rm(path.join(this.#deps.partsFolder, name), { recursive: true, force: true });
    if (this.#isClosed) return; // meanwhile
    this.#isOpen = true;
    this.#next();
  }

  /** Ends what runs after the chunk in progress; it is still wanted at the next start. */
  async close(): Promise<void> {
    this.#isOpen = false;
    this.#isClosed = true;
    this.#running?.controller.abort(new Error('the app ends'));
    await this.#running?.ended;
  }

  /** Rejects with `download.source` or `download.exists`. */
  start(source: DownloadSource): DownloadEntry {
    const { db, newId, clock, huggingFace, modelsFolder, catalogue = catalogueModels() } = this.#deps;
    const wanted = wantedModel(source, catalogue, huggingFace);
    for (const { name } of wanted.files) {
      const place = path.join(modelsFolder, wanted.folder, name);
      const isOnItsWay = listDownloads(db).some(
        ({ id, folder }) => folder === wanted.folder && listDownloadFiles(db, id).some((file) => file.name === name),
      );
      if (!isOnItsWay && !existsSync(place)) continue;
      throw serviceError(
        'download.exists',
        isOnItsWay
          ? `${name} is among the downloads already.`
          : `${place} is there already. Remove that model first to fetch it anew.`,
        { name },
      );
    }
    const record: DownloadRecord = {
      id: newId(),
      name: wanted.name,
      host: wanted.host,
      folder: wanted.folder,
      state: 'wanted',
      error: null,
      addedAtMs: clock.nowMs(),
    };
    const files = wanted.files.map((file, position) => ({
      ...file,
      downloadId: record.id,
      position,
      identity: null,
      durableBytes: 0,
      done: false,
    }));
    insertDownload(db, record, files);
    this.#announce();
    this.#next();
    return this.#entryOf(record);
  }

  async pause(id: string): Promise<void> {
    const { state } = this.#require(id);
    if (state !== 'wanted') return;
    setDownloadState(this.#deps.db, id, 'paused', null);
    await this.#interrupt(id, 'paused');
    this.#announce();
  }

  resume(id: string): void {
    const { state } = this.#require(id);
    if (state === 'wanted' || state === 'finishing') return;
    const isWhole = listDownloadFiles(this.#deps.db, id).every(({ done }) => done);
    setDownloadState(this.#deps.db, id, isWhole ? 'finishing' : 'wanted', null);
    this.#announce();
    this.#next();
  }

  async cancel(id: string): Promise<void> {
    this.#require(id);
    setDownloadState(this.#deps.db, id, 'paused', null);
    await this.#interrupt(id, 'cancelled');
    deleteDownload(this.#deps.db, id);
    await rm(this.#folderOf(id), { recursive: true, force: true });
    this.#announce();
  }

  async #interrupt(id: string, why: string): Promise<void> {
    if (this.#running?.id !== id) return;
    this.#running.controller.abort(new Error(why));
    await this.#running.ended;
  }

  #next(): void {
    if (!this.#isOpen || this.#running) return;
    const record = listDownloads(this.#deps.db).find(({ state }) => state === 'wanted' || state === 'finishing');
    if (!record) return;
    const running: Running = {
      id: record.id,
      controller: new AbortController(),
      speed: new Speed(),
      phase: 'running',
      position: 0,
      fileBytes: 0,
      error: null,
      toldAtMs: -Infinity,
      ended: Promise.resolve(),
    };
    this.#running = running;
    running.ended = this.#run(record, running);
  }

  /** Never rejects. */
  async #run(record: DownloadRecord, running: Running): Promise<void> {
    const { db, events } = this.#deps;
    let modelId: string | null = null;
    try {
      if (record.state === 'wanted') await this.#fetchAll(record, running);
      modelId = await this.#finish(record, running);
    } catch (error) {
      const isStillWanted = listDownloads(db).some(
        ({ id, state }) => id === record.id && (state === 'wanted' || state === 'finishing'),
      );
      if (!running.controller.signal.aborted && isStillWanted) setDownloadState(db, record.id, 'failed', toWireError(error));
    }
    this.#running = null;
    this.#announce();
    if (modelId !== null) events.emit('downloads.finished', { downloadId: record.id, name: record.name, modelId });
    this.#next();
  }

  async #fetchAll(record: DownloadRecord, running: Running): Promise<void> {
    const { fetch, clock, modelsFolder, partsFolder } = this.#deps;
    const { signal } = running.controller;
    await mkdir(partsFolder, { recursive: true });
    await mkdir(modelsFolder, { recursive: true });
    this.#announce();
    await this.#askSizes(record, signal);
    await checkSpace(partsFolder, this.#missingBytes(record.id), record.name);
    for (const { position } of this.#files(record.id)) {
      const file = this.#files(record.id)[position];
      if (file.done) continue;
      running.position = position;
      running.fileBytes = file.durableBytes;
      running.speed.reset();
      await transfer({
        file,
        partPath: this.#partOf(file),
        fetch,
        clock,
        signal,
        save: (changed) => saveDownloadFile(this.#deps.db, changed),
        onPinned: (url) => this.#pinOthers(record.id, file, url),
        onPhase: (phase, error) => this.#enter(running, phase, error),
        onProgress: (bytes) => this.#progress(running, bytes),
        checkSpace: () => checkSpace(partsFolder, this.#missingBytes(record.id), record.name),
      });
    }
  }

  /** Of files whose size or checksum is not known; a server that does not say is asked again by the download itself. */
  async #askSizes(record: DownloadRecord, signal: AbortSignal): Promise<void> {
    for (const { position } of this.#files(record.id)) {
      const file = this.#files(record.id)[position];
      if (file.done || file.identity !== null || (file.sizeBytes !== null && file.sha256 !== null)) continue;
      const watch = new StallWatch(this.#deps.clock, signal);
      const facts = await askRemote({ fetch: this.#deps.fetch, url: file.url, signal: watch.signal })
        .catch((error: unknown) => {
          signal.throwIfAborted();
          if (isConclaveError(error)) throw error; // a reason that another try would not change
          return null;
        })
        .finally(() => watch.end());
      if (!facts) continue;
      saveDownloadFile(this.#deps.db, { ...file, sizeBytes: file.sizeBytes ?? facts.totalBytes });
      if (facts.pinnedUrl) {
        saveDownloadFile(this.#deps.db, { ...this.#files(record.id)[position], url: facts.pinnedUrl });
        this.#pinOthers(record.id, file, facts.pinnedUrl);
      }
    }
    this.#announce();
  }

  /** The other parts come from the same commit of the repository. */
  #pinOthers(id: string, pinned: DownloadFileRecord, url: string): void {
    const commit = /\/resolve\/([0-9a-f]{40})\//.exec(url)?.[1];
    if (!commit) return;
    for (const file of this.#files(id))
      if (file.position !== pinned.position && !file.done && file.durableBytes === 0)
        saveDownloadFile(this.#deps.db, { ...file, url: file.url.replace(/\/resolve\/[^/]+\//, `/resolve/${commit}/`) });
  }

  /** From whole files to a model of the library. Each step may have been taken before. */
  async #finish(record: DownloadRecord, running: Running): Promise<string> {
    const { db, modelsFolder, adopt } = this.#deps;
    setDownloadState(db, record.id, 'finishing', null);
    this.#enter(running, 'finishing', null);
    const files = this.#files(record.id);
    invariant(
      files.every(({ done }) => done),
      `download ${record.id} is not whole`,
    );
    for (const file of files) {
      const target = path.join(modelsFolder, record.folder, file.name);
      if (existsSync(this.#partOf(file))) {
        if (existsSync(target))
          throw serviceError('download.exists', `${target} came there from elsewhere. Move it away, then resume.`, {
            path: target,
          });
        await settle(this.#partOf(file), target);
      } else if (!existsSync(target)) {
        saveDownloadFile(db, { ...file, done: false, durableBytes: 0 });
        throw serviceError(
          'data.unwritable',
          `${file.name} vanished from the disk before it was in its place. Resume fetches it anew.`,
          {
            path: this.#partOf(file),
          },
        );
      }
    }
    const modelId = await adopt(path.join(modelsFolder, record.folder, files[0].name));
    deleteDownload(db, record.id);
    await rm(this.#folderOf(record.id), { recursive: true, force: true });
    return modelId;
  }

  #enter(running: Running, phase: DownloadEntry['state'], error: WireError | null): void {
    if (phase === running.phase && error === null && running.error === null) return;
    running.phase = phase;
    running.error = error;
    running.speed.reset();
    this.#announce();
  }

  #progress(running: Running, bytes: number): void {
    const nowMs = this.#deps.clock.nowMs();
    running.fileBytes = bytes;
    running.speed.add(nowMs, bytes);
    if (nowMs - running.toldAtMs < TELL_EVERY_MS) return;
    running.toldAtMs = nowMs;
    const record = listDownloads(this.#deps.db).find(({ id }) => id === running.id);
    if (!record) return;
    const { id, receivedBytes, totalBytes, bytesPerSecond, remainingMs } = this.#entryOf(record);
    this.#deps.events.emit('downloads.progress', { id, receivedBytes, totalBytes, bytesPerSecond, remainingMs });
  }

  #entryOf(record: DownloadRecord): DownloadEntry {
    const { id, name, host, addedAtMs } = record;
    const files = this.#files(id);
    const running = this.#running?.id === id ? this.#running : null;
    const bytesOf = (file: DownloadFileRecord) =>
      file.done ? (file.sizeBytes ?? 0) : running?.position === file.position ? running.fileBytes : file.durableBytes;
    const receivedBytes = files.reduce((sum, file) => sum + bytesOf(file), 0);
    const totalBytes = files.reduce<number | null>(
      (sum, { sizeBytes }) => (sum === null || sizeBytes === null ? null : sum + sizeBytes),
      0,
    );
    const bytesPerSecond = running?.phase === 'running' ? running.speed.bytesPerSecond() : null;
    const isKnown = totalBytes !== null && bytesPerSecond !== null && bytesPerSecond > 0;
    const state = record.state === 'paused' || record.state === 'failed' ? record.state : (running?.phase ?? 'queued');
    return {
      id,
      name,
      host,
      state,
      receivedBytes,
      totalBytes,
      bytesPerSecond,
      remainingMs: isKnown ? ((totalBytes - receivedBytes) * 1000) / bytesPerSecond : null,
      files: files.length,
      checksum: weakest(files.map(({ sha256From }) => sha256From)),
      error: record.error ?? running?.error ?? null,
      addedAtMs,
    };
  }

  /** Of files whose size is known. */
  #missingBytes(id: string): number {
    return this.#files(id).reduce(
      (sum, file) => sum + (file.done ? 0 : Math.max(0, (file.sizeBytes ?? 0) - file.durableBytes)),
      0,
    );
  }

  #files(id: string): DownloadFileRecord[] {
    return listDownloadFiles(this.#deps.db, id);
  }

  #require(id: string): DownloadRecord {
    const record = listDownloads(this.#deps.db).find((known) => known.id === id);
    if (record) return record;
    throw serviceError('download.missing', 'This download has ended or was cancelled.', { downloadId: id });
  }

  #folderOf(id: string): string {
    return path.join(this.#deps.partsFolder, id);
  }

  #partOf({ downloadId, position }: DownloadFileRecord): string {
    return path.join(this.#folderOf(downloadId), `${position}.part`);
  }

  #announce(): void {
    this.#deps.events.emit('downloads.changed', { downloads: this.list() });
  }
}

function weakest(sources: readonly (ChecksumSource | null)[]): ChecksumSource | null {
  const order = [null, 'server', 'person', 'catalogue'] as const;
  return order.find((candidate) => sources.includes(candidate)) ?? null;
}
