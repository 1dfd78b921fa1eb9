/**
 * All services of one data folder, behind one door: `handle` answers the contract's requests (checked first), `on` gives its events.
 * Hosts bring what differs between them: the engine, the SQL binding, the file dialog.
 */
import { randomInt, randomUUID } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import type { Channel, RequestOf, ResponseOf } from './contract/channels.ts';
import type { EngineClient } from './contract/engine.ts';
import type { AnswerExperts } from './contract/experts.ts';
import { serviceError } from './contract/errors.ts';
import type { HostInfo } from './contract/types.ts';
import { HUGGING_FACE_HOST } from './contract/model-address.ts';
import { isChannel, parseRequest } from './contract/validators.ts';
import { ChatService } from './chat/chat.ts';
import { ConversationService } from './chat/conversations.ts';
import { systemClock, type Clock } from './clock.ts';
import type { OpenConnection } from './database/driver.ts';
import { openDataFolder } from './database/open-folder.ts';
import { CollectionService } from './documents/collections.ts';
import { DocumentService } from './documents/documents.ts';
import { Indexer } from './documents/indexer.ts';
import { Bm25Retriever } from './documents/retriever.ts';
import type { StartDocumentWorker } from './documents/worker-protocol.ts';
import { EventBus, type AnyEvent } from './event-bus.ts';
import { catalogueEntries } from './library/catalogue.ts';
import { ChosenModel } from './library/chosen-model.ts';
import { DownloadService } from './library/download/downloads.ts';
import { listModels } from './library/download/hugging-face.ts';
import type { Fetch } from './library/download/remote.ts';
import { fitOf, type Computer } from './library/fit.ts';
import { ExpertsService } from './experts/experts.ts';
import { LibraryService } from './library/library.ts';
import type { ModelFiles } from './library/model-files.ts';
import { ModelSession } from './library/model-session.ts';
import { NO_KEY_STORE, type KeyStore } from './remote/keys.ts';
import { RemoteService, type RemoteDependencies } from './remote/remote.ts';
import { SettingsService } from './settings/settings.ts';

export interface ServicesOptions {
  readonly host: HostInfo;
  readonly engine: EngineClient;
  readonly files: ModelFiles;
  readonly openConnection: OpenConnection;
  /** Where models that came with the app lie; null when there are none. */
  readonly builtInModelsFolder: string | null;
  /** Opens the system's file dialog; resolves with a path, or null when it was closed. */
  readonly pickFile?: () => Promise<string | null>;
  readonly startDocumentWorker: StartDocumentWorker;
  /** Opens the system's dialog for documents; resolves with paths, or null when it was closed. */
  readonly pickDocuments?: (what: 'files' | 'folder') => Promise<readonly string[] | null>;
  /** Shows a file in the system's file manager, without opening it. */
  readonly showInFolder?: (path: string) => void;
  /** Where keys of servers are kept; without one they are held in memory only. */
  readonly keyStore?: KeyStore;
  /** What differs in tests: the environment, and how servers are reached. */
  readonly remote?: Partial<Pick<RemoteDependencies, 'environment' | 'limits' | 'lookup'>>;
  /** How downloads reach the network; Node's own when not given. */
  readonly fetch?: Fetch;
  /** An origin; tests have a server of their own. */
  readonly huggingFace?: string;
  readonly clock?: Clock;
  readonly newId?: () => string;
  readonly newSeed?: () => number;
}

export interface Services {
  /** Where the browser host puts uploads; they belong to the app. */
  readonly modelsFolder: string;
  /** The same for documents. Copies that no collection holds are deleted when that host starts. */
  readonly documentsFolder: string;
  /** Answers a request of the contract. Rejects with a ConclaveError. */
  handle(channel: string, payload: unknown): Promise<unknown>;
  /** Returns a function that ends the subscription. */
  on(listener: (event: AnyEvent) => void): () => void;
  /** Once the host listens: built-in models, then the chosen model is loaded. */
  start(): Promise<void>;
  /** Commits what is open, ends the engine, frees the folder. */
  close(): Promise<void>;
}

/** A listing of files gives sizes only. */
const UNKNOWN_SHAPE = { layers: null, experts: null, expertsUsed: null, contextTokens: null };

type Handlers = { [C in Channel]: (request: RequestOf<C>) => ResponseOf<C> | Promise<ResponseOf<C>> };

/** Throws `data.*` when the folder cannot be used. */
export function createServices(options: ServicesOptions): Services {
  const { host, engine, files, openConnection, clock = systemClock, newId = randomUUID } = options;
  const { fetch = globalThis.fetch, huggingFace = `https://${HUGGING_FACE_HOST}` } = options;
  const folder = host.dataFolder;
  const holder = { pid: process.pid, startedAtMs: clock.nowMs(), program: `${host.kind} host` };
  const database = openDataFolder(folder, holder, openConnection);
  const { db, databasePath } = database;
  const events = new EventBus();
  const modelsFolder = path.join(folder, 'models');
  const settings = new SettingsService(db, events, clock);
  const conversations = new ConversationService(db, events);
  const library = new LibraryService({
    db,
    events,
    clock,
    newId,
    files,
    ownFolder: modelsFolder,
    builtInFolder: options.builtInModelsFolder,
    computer: () => computer(),
  });
  const collections = new CollectionService({ db, events, clock, newId });
  const retriever = new Bm25Retriever(db);
  const { startDocumentWorker: startWorker } = options;
  const indexer = new Indexer({ db, databasePath, events, clock: systemClock, collections, startWorker });
  const documents = new DocumentService({ db, events, clock, newId, collections, indexer, retriever });
  const downloads = new DownloadService({
    db,
    events,
    clock,
    newId,
    fetch,
    huggingFace,
    partsFolder: path.join(folder, 'downloads'),
    modelsFolder,
    adopt: async (filePath) => (await library.adopt(filePath)).id,
  });
  const closing = new AbortController();
  const remote = new RemoteService({
    db,
    events,
    clock,
    newId,
    keyStore: options.keyStore ?? NO_KEY_STORE,
    environment: process.env,
    contextTokens: () => settings.current.contextTokens,
    ...options.remote,
  });
  let expertsAtWork: AnswerExperts | null = null;
  const chat: ChatService = new ChatService({
    db,
    events,
    clock,
    newId,
    newSeed: options.newSeed ?? (() => randomInt(2 ** 32)),
    engine,
    settings,
    conversations,
    retriever,
    onExperts(activity) {
      expertsAtWork = activity;
      events.emit('experts.activity', activity);
    },
    ready: () => session.ready,
    problem: () => session.problem,
  });
  const experts = new ExpertsService({ dataFolder: folder, engine, settings: () => settings.current });
  const computer = (): Computer => ({ ramBytes: os.totalmem(), known: experts.found, kvType: settings.current.kvType });
  const session: ModelSession = new ModelSession({
    engine,
    files,
    events,
    contextTokens: () => settings.current.contextTokens,
    expertsUsed: () => settings.current.expertsUsed,
    kvType: () => settings.current.kvType,
    experts,
    freeEngine: (error) => chat.freeEngine(error),
    onReady: () => chat.pump(),
    onFailed: () => chat.pump(),
  });
  const chosen = new ChosenModel({ settings, library, remote, session });
  events.on((event) => {
    if (event.name !== 'answer.finished') return;
    if (event.payload.status === 'complete') session.countsAsHealthy();
    if (event.payload.answerId === expertsAtWork?.answerId) experts.answered(expertsAtWork.activity);
  });

  async function removeModel(modelId: string): Promise<null> {
    library.require(modelId);
    await chosen.unselect(modelId);
    await library.remove(modelId);
    return null;
  }

  const handlers: Handlers = {
    'app.state': async () => ({
      host,
      settings: settings.current,
      engine: session.status,
      models: await library.list(),
      remote: remote.state(),
    }),
    'conversations.list': (request) => conversations.list(request),
    'conversations.get': ({ conversationId }) => conversations.get(conversationId),
    'conversations.rename': ({ conversationId, title }) => conversations.rename(conversationId, title),
    'conversations.delete': ({ conversationId }) => {
      chat.stopAllOf(conversationId);
      conversations.delete(conversationId);
      return null;
    },
    'conversations.show': ({ conversationId, messageId }) => conversations.show(conversationId, messageId),
    'chat.send': (request) => chat.send(request),
    'chat.regenerate': (request) => chat.regenerate(request),
    'chat.stop': ({ answerId }) => {
      chat.stop(answerId);
      return null;
    },
    'experts.current': () => expertsAtWork,
    'library.list': () => library.list(),
    'library.import': (request) => library.import(request.path),
    'library.pick': async () => {
      if (!options.pickFile)
        throw serviceError(
          'host.unsupported',
          'There is no file dialog here: drop the model file onto the window, or give its path.',
        );
      const picked = await options.pickFile();
      return picked === null ? null : library.import(picked);
    },
    'library.remove': ({ modelId }) => removeModel(modelId),
    'library.select': async ({ modelId }) => {
      await chosen.select(modelId);
      return null;
    },
    'library.catalogue': () => catalogueEntries(computer()),
    'library.lookUp': async (request) => {
      const found = await listModels({ ...request, fetch, huggingFace, signal: closing.signal });
      return {
        ...request,
        files: found.map((file) => ({ ...file, fit: fitOf({ ...UNKNOWN_SHAPE, sizeBytes: file.sizeBytes }, computer()) })),
      };
    },
    'library.details': ({ modelId }) => library.details(modelId),
    'downloads.list': () => downloads.list(),
    'downloads.start': ({ source }) => downloads.start(source),
    'downloads.pause': async ({ downloadId }) => {
      await downloads.pause(downloadId);
      return null;
    },
    'downloads.resume': ({ downloadId }) => {
      downloads.resume(downloadId);
      return null;
    },
    'downloads.cancel': async ({ downloadId }) => {
      await downloads.cancel(downloadId);
      return null;
    },
    'settings.update': (change) => chosen.updateSettings(change),
    'documents.collections': () => collections.list(),
    'documents.createCollection': ({ name }) => collections.create(name),
    'documents.renameCollection': ({ collectionId, name }) => collections.rename(collectionId, name),
    'documents.deleteCollection': ({ collectionId }) => {
      documents.stopAllOf(collectionId);
      collections.delete(collectionId);
      return null;
    },
    'documents.list': ({ collectionId }) => documents.list(collectionId),
    'documents.add': ({ collectionId, paths }) => documents.add(collectionId, paths),
    'documents.pick': async ({ collectionId, what }) => {
      if (!options.pickDocuments)
        throw serviceError('host.unsupported', 'There is no file dialog here: drop the documents onto the window.');
      const picked = await options.pickDocuments(what);
      return picked === null || picked.length === 0 ? null : documents.add(collectionId, picked);
    },
    'documents.remove': ({ documentId }) => {
      documents.remove(documentId);
      return null;
    },
    'documents.retry': ({ documentId }) => documents.retry(documentId),
    'documents.cancel': ({ collectionId }) => {
      documents.cancel(collectionId);
      return null;
    },
    'documents.search': ({ collectionId, query, limit }) => documents.search(collectionId, query, limit),
    'documents.text': ({ documentId }) => documents.text(documentId),
    'documents.reveal': async ({ documentId }) => {
      if (!options.showInFolder)
        throw serviceError('host.unsupported', 'Files cannot be shown from here: copy the path instead.');
      options.showInFolder(await documents.fileOf(documentId));
      return null;
    },
    'documents.use': ({ conversationId, collectionId }) => {
      collections.use(conversationId, collectionId);
      return null;
    },
    'remote.save': (request) => remote.save(request),
    'remote.remove': async ({ serverId }) => {
      const models = remote.state().servers.find(({ id }) => id === serverId)?.models ?? [];
      for (const { id } of models) await chosen.unselect(id);
      remote.remove(serverId);
      return null;
    },
    'remote.test': ({ serverId }) => remote.test(serverId),
    'remote.keyStorage': () => remote.keyStorage(),
    'remote.addModel': (request) => remote.addModel(request),
    'remote.removeModel': async ({ modelId }) => {
      await chosen.unselect(modelId);
      remote.removeModel(modelId);
      return null;
    },
    'remote.review': ({ answerId }) => remote.review(answerId),
    'remote.consent': ({ answerId }) => remote.consent(answerId),
  };

  async function answer<C extends Channel>(channel: C, payload: unknown): Promise<ResponseOf<C>> {
    return await handlers[channel](parseRequest(channel, payload));
  }

  return {
    modelsFolder,
    documentsFolder: path.join(folder, 'documents'),
    async handle(channel, payload) {
      if (!isChannel(channel)) throw serviceError('request.unknown', `There is no request "${channel}".`, { channel });
      return answer(channel, payload);
    },
    on: (listener) => events.on(listener),
    async start() {
      indexer.start();
      void documents.checkFiles().catch((error: unknown) => console.error(error));
      await library.refreshBuiltIn();
      if (closing.signal.aborted) return;
      await downloads.open().catch((error: unknown) => console.error(error)); // what a crash left could not be cleared
      if (closing.signal.aborted) return;
      await chosen.start();
    },
    async close() {
      remote.close();
      closing.abort(new Error('the app ends'));
      await downloads.close();
      await chat.close();
      await indexer.close();
      await session.close();
      experts.unloaded();
      await engine.close();
      database.close();
    },
  };
}
