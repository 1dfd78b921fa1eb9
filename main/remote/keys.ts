/**
 * Keys of servers. Kept over a restart only as the system's key store seals them; typed in for now, they live in this process's memory;
 * else they come from the host's own environment variable. Nothing else reads them, and nothing but connection.ts sends them.
 */
import { serviceError } from '../contract/errors.ts';
import type { RemoteKeyChange, RemoteKeyState } from '../contract/remote.ts';
import type { RemoteServerRecord } from '../database/remote.ts';
import { keyVariableOf, parseServerAddress } from './address.ts';

/** The system's key store, as a host has it. */
export interface KeyStore {
  /** Why nothing can be kept, as a sentence; null when it can. Asking may wake the store. */
  problem(): string | null;
  /** To be opened by the same user on the same machine only. */
  seal(text: string): string;
  /** Throws when it was sealed elsewhere or the store was reset. */
  open(sealed: string): string;
}

export const NO_KEY_STORE: KeyStore = {
  problem: () =>
    'In the browser Conclave has no key store. A key is held in memory until Conclave ends; to have it there each time, set the environment variable.',
  seal: () => {
    throw new Error('there is no key store');
  },
  open: () => {
    throw new Error('there is no key store');
  },
};

type KeyedServer = Pick<RemoteServerRecord, 'id' | 'baseUrl' | 'sealedKey'>;

export class Keys {
  readonly #store: KeyStore;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  /** By server. */
  readonly #held = new Map<string, string>();

  constructor(store: KeyStore, environment: Readonly<Record<string, string | undefined>>) {
    this.#store = store;
    this.#environment = environment;
  }

  problem(): string | null {
    return this.#store.problem();
  }

  stateOf(server: KeyedServer): RemoteKeyState {
    if (this.#held.has(server.id)) return 'session';
    if (server.sealedKey !== null) return 'stored';
    return this.#fromEnvironment(server) === null ? 'none' : 'environment';
  }

  /** The key to send; null for none. Throws `remote.key` when the kept one cannot be opened. */
  keyOf(server: KeyedServer): string | null {
    const held = this.#held.get(server.id);
    if (held !== undefined) return held;
    if (server.sealedKey === null) return this.#fromEnvironment(server);
    try {
      return this.#store.open(server.sealedKey);
    } catch (error) {
      throw serviceError(
        'remote.key',
        'The key of this server was kept by another user, another computer or a key store that is locked now. Enter it again in the settings.',
        { serverId: server.id },
        error,
      );
    }
  }

  /**
   * What is to be stored as `sealedKey`. `before` is the server as it was, null where its address leads to another origin now: then no
   * key is carried over. Throws `remote.key` when a key is to be kept that cannot be kept safely.
   */
  change(serverId: string, before: KeyedServer | null, change: RemoteKeyChange): string | null {
    if (change.kind === 'keep' && before) return before.sealedKey;
    this.#held.delete(serverId);
    if (change.kind !== 'set') return null;
    if (!change.store) {
      this.#held.set(serverId, change.value);
      return null;
    }
    const problem = this.#store.problem();
    if (problem !== null) throw serviceError('remote.key', problem, { serverId });
    return this.#store.seal(change.value);
  }

  forget(serverId: string): void {
    this.#held.delete(serverId);
  }

  #fromEnvironment({ baseUrl }: KeyedServer): string | null {
    const value = this.#environment[keyVariableOf(parseServerAddress(baseUrl))]?.trim();
    return value !== undefined && /^[\x21-\x7e]+$/.test(value) ? value : null;
  }
}
