/** Servers as the settings and the picker show them: requests, and what the last test of each connection found. Keys pass through only. */
import type { RequestOf } from '../../main/contract/channels.ts';
import { toWireError, type WireError } from '../../main/contract/errors.ts';
import type { OfferedModel, OutgoingPassage, RemoteServer } from '../../main/contract/remote.ts';
import type { PageClient } from './client.ts';
import type { Notices } from './notices.ts';
import { Store } from './store.ts';

export type Probe =
  | { readonly phase: 'asking' }
  | { readonly phase: 'answered'; readonly models: readonly OfferedModel[] }
  | { readonly phase: 'failed'; readonly error: WireError };

export interface ServersView {
  /** By server: the newest test of its connection. */
  readonly probes: ReadonlyMap<string, Probe>;
}

export class Servers extends Store<ServersView> {
  readonly #client: PageClient;
  readonly #notices: Notices;

  constructor(client: PageClient, notices: Notices) {
    super({ probes: new Map() });
    this.#client = client;
    this.#notices = notices;
  }

  /** The server, or why it was not taken. What an older test found is forgotten: it may be another server now. */
  async save(change: RequestOf<'remote.save'>): Promise<RemoteServer | WireError> {
    try {
      const server = await this.#client.request('remote.save', change);
      this.#setProbe(server.id, null);
      return server;
    } catch (error) {
      return toWireError(error);
    }
  }

  async test(serverId: string): Promise<void> {
    const asking: Probe = { phase: 'asking' };
    this.#setProbe(serverId, asking);
    let probe: Probe;
    try {
      const { models } = await this.#client.request('remote.test', { serverId });
      probe = { phase: 'answered', models };
    } catch (error) {
      probe = { phase: 'failed', error: toWireError(error) };
    }
    if (this.value.probes.get(serverId) === asking) this.#setProbe(serverId, probe);
  }

  async remove(serverId: string): Promise<void> {
    await this.#notices.attempt(() => this.#client.request('remote.remove', { serverId }));
    this.#setProbe(serverId, null);
  }

  async addModel(serverId: string, { name, contextTokens }: OfferedModel): Promise<void> {
    await this.#notices.attempt(() => this.#client.request('remote.addModel', { serverId, name, contextTokens }));
  }

  async removeModel(modelId: string): Promise<void> {
    await this.#notices.attempt(() => this.#client.request('remote.removeModel', { modelId }));
  }

  /** Why keys cannot be kept over a restart here; null when they can. */
  async keyProblem(): Promise<string | null> {
    try {
      return (await this.#client.request('remote.keyStorage', {})).problem;
    } catch (error) {
      return toWireError(error).message;
    }
  }

  /** What an answer held back; null when nothing waits any more. */
  async review(answerId: string): Promise<{ host: string; passages: readonly OutgoingPassage[] } | null> {
    try {
      return await this.#client.request('remote.review', { answerId });
    } catch {
      return null; // after a restart of the app: asking again shows it again
    }
  }

  /** Resolves to whether what was shown may be sent now. */
  async consent(answerId: string): Promise<boolean> {
    return this.#notices.attempt(() => this.#client.request('remote.consent', { answerId }));
  }

  #setProbe(serverId: string, probe: Probe | null): void {
    const probes = new Map(this.value.probes);
    if (probe) probes.set(serverId, probe);
    else probes.delete(serverId);
    this.patch({ probes });
  }
}
