/**
 * Servers with OpenAI's protocol as models: their list, their keys, what they offer, and who answers when one of their models is chosen.
 * Off until the user adds one; contacts a server only for `test` and for a question.
 */
import type { RemoteAnswerer } from '../chat/chat-model.ts';
import { serviceError } from '../contract/errors.ts';
import type { RequestOf, ResponseOf } from '../contract/channels.ts';
import type { RemoteModel, RemoteServer, RemoteState } from '../contract/remote.ts';
import type { Clock } from '../clock.ts';
import type { WriteDb } from '../database/handles.ts';
import {
  deleteRemoteModel,
  deleteServer,
  getRemoteModel,
  getServer,
  listRemoteModels,
  listServers,
  saveRemoteModel,
  saveServer,
  type RemoteModelRecord,
  type RemoteServerRecord,
} from '../database/remote.ts';
import type { EventBus } from '../event-bus.ts';
import { keyVariableOf, parseServerAddress } from './address.ts';
import type { CompletionTarget } from './completion.ts';
import type { ConnectionLimits, HostLookup } from './connection.ts';
import { Consents } from './consent.ts';
import { Keys, type KeyStore } from './keys.ts';
import { listModels } from './model-list.ts';
import { RemoteAnswerRun } from './remote-answer-run.ts';

export interface RemoteDependencies {
  readonly db: WriteDb;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly keyStore: KeyStore;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The user's cap on context; null for none. */
  readonly contextTokens: () => number | null;
  /** For tests; else as connection.ts has them. */
  readonly limits?: ConnectionLimits;
  readonly lookup?: HostLookup;
}

export class RemoteService {
  readonly #deps: RemoteDependencies;
  readonly #keys: Keys;
  readonly #consents = new Consents();
  /** Ends what is under way when the app does. */
  readonly #closing = new AbortController();

  constructor(deps: RemoteDependencies) {
    this.#deps = deps;
    this.#keys = new Keys(deps.keyStore, deps.environment);
  }

  state(): RemoteState {
    const models = listRemoteModels(this.#deps.db);
    return { servers: listServers(this.#deps.db).map((server) => this.#toServer(server, models)) };
  }

  keyStorage(): ResponseOf<'remote.keyStorage'> {
    return { problem: this.#keys.problem() };
  }

  /** Throws `remote.address`, `remote.key` or `remote.missing`. */
  save({ serverId, name, address, key }: RequestOf<'remote.save'>): RemoteServer {
    const { db, clock } = this.#deps;
    const before = serverId === null ? null : this.#require(serverId);
    const { baseUrl, origin } = parseServerAddress(address);
    const id = before?.id ?? this.#deps.newId();
    const isSameOrigin = before !== null && parseServerAddress(before.baseUrl).origin === origin;
    const sealedKey = this.#keys.change(id, isSameOrigin ? before : null, key);
    const server = { id, name: name.trim(), baseUrl, sealedKey, addedAtMs: before?.addedAtMs ?? clock.nowMs() };
    saveServer(db, server);
    this.#announce();
    return this.#toServer(server, listRemoteModels(db));
  }

  /** Its models go with it. */
  remove(serverId: string): void {
    this.#require(serverId);
    deleteServer(this.#deps.db, serverId);
    this.#keys.forget(serverId);
    this.#announce();
  }

  /** Contacts the server. Rejects with a `remote.*` error. */
  async test(serverId: string): Promise<ResponseOf<'remote.test'>> {
    return { models: await listModels(this.#target(this.#require(serverId)), this.#closing.signal) };
  }

  addModel({ serverId, name, contextTokens }: RequestOf<'remote.addModel'>): RemoteModel {
    this.#require(serverId);
    const { db, clock, newId } = this.#deps;
    const model = saveRemoteModel(db, { id: newId(), serverId, name, contextTokens, addedAtMs: clock.nowMs() });
    this.#announce();
    return toModel(model);
  }

  removeModel(modelId: string): void {
    deleteRemoteModel(this.#deps.db, this.#requireModel(modelId).id);
    this.#announce();
  }

  review(answerId: string): ResponseOf<'remote.review'> {
    return this.#consents.review(answerId);
  }

  consent(answerId: string): null {
    this.#consents.allow(answerId);
    return null;
  }

  has(modelId: string): boolean {
    return getRemoteModel(this.#deps.db, modelId) !== null;
  }

  /** Who answers while this model is chosen. The server is looked up anew for each answer, so that a changed address or key counts. */
  answerer(modelId: string): RemoteAnswerer & { readonly contextTokens: number | null } {
    const model = () => this.#requireModel(modelId);
    const server = () => this.#require(model().serverId);
    const contextTokens = () => {
      const given = [model().contextTokens, this.#deps.contextTokens()].filter((tokens) => tokens !== null);
      return given.length === 0 ? null : Math.min(...given);
    };
    const address = () => parseServerAddress(server().baseUrl);
    return {
      get name() {
        return model().name;
      },
      get host() {
        return address().host;
      },
      get contextTokens() {
        return contextTokens();
      },
      begin: (chat, answer) =>
        new RemoteAnswerRun(chat, answer, {
          modelName: model().name,
          host: address().host,
          contextTokens: contextTokens(),
          target: () => this.#target(server()),
          checkOutgoing: (answerId, passages) => this.#consents.check(address(), answerId, passages),
        }),
    };
  }

  close(): void {
    this.#closing.abort();
  }

  #target(server: RemoteServerRecord): CompletionTarget {
    const { limits, lookup } = this.#deps;
    return { address: parseServerAddress(server.baseUrl), key: this.#keys.keyOf(server), limits, lookup };
  }

  #require(serverId: string): RemoteServerRecord {
    const server = getServer(this.#deps.db, serverId);
    if (server) return server;
    throw serviceError('remote.missing', 'This server was removed. Choose another model.', { serverId });
  }

  #requireModel(modelId: string): RemoteModelRecord {
    const model = getRemoteModel(this.#deps.db, modelId);
    if (model) return model;
    throw serviceError('remote.missing', 'This model was taken off the list. Choose another.', { modelId });
  }

  #announce(): void {
    this.#deps.events.emit('remote.changed', this.state());
  }

  #toServer(record: RemoteServerRecord, models: readonly RemoteModelRecord[]): RemoteServer {
    const { id, name, baseUrl } = record;
    const address = parseServerAddress(baseUrl);
    const { host, scope, encrypted } = address;
    return {
      id,
      name,
      baseUrl,
      host,
      scope,
      encrypted,
      key: this.#keys.stateOf(record),
      keyVariable: keyVariableOf(address),
      models: models.filter((model) => model.serverId === id).map(toModel),
    };
  }
}

function toModel({ id, serverId, name, contextTokens }: RemoteModelRecord): RemoteModel {
  return { id, serverId, name, contextTokens };
}
