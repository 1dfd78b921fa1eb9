/** Servers as the scripted client pretends to have them. Development and tests only. */
import type { RequestOf, ResponseOf } from '../../main/contract/channels.ts';
import { serviceError } from '../../main/contract/errors.ts';
import type { RemoteRequests, RemoteServer, RemoteState } from '../../main/contract/remote.ts';

const LARGE = 'Qwen3-235B-A22B-Instruct-2507';

export const SERVERS: readonly RemoteServer[] = [
  {
    id: 'server-office',
    name: 'Office vLLM',
    baseUrl: 'https://llm.example.org/v1',
    host: 'llm.example.org',
    scope: 'public',
    encrypted: true,
    key: 'stored',
    keyVariable: 'CONCLAVE_KEY_LLM_EXAMPLE_ORG',
    models: [{ id: 'remote-large', serverId: 'server-office', name: LARGE, contextTokens: 131_072 }],
  },
  {
    id: 'server-box',
    name: 'The box under the desk',
    baseUrl: 'http://gpu-box.local:8080/v1',
    host: 'gpu-box.local:8080',
    scope: 'private',
    encrypted: false,
    key: 'none',
    keyVariable: 'CONCLAVE_KEY_GPU__BOX_LOCAL_8080',
    models: [],
  },
];

type Handlers = { [C in keyof RemoteRequests]: (request: RequestOf<C>) => ResponseOf<C> };

export class FakeRemote {
  servers: readonly RemoteServer[];
  readonly #onChange: (state: RemoteState) => void;
  #nextId = 1;

  constructor(servers: readonly RemoteServer[], onChange: (state: RemoteState) => void) {
    this.servers = servers;
    this.#onChange = onChange;
  }

  readonly handlers: Handlers = {
    'remote.save': ({ serverId, name, address, key }) => {
      if (!/^https?:\/\//.test(address))
        throw serviceError('remote.address', `${address} is not the address of a server. It begins with https:// or http://.`);
      const before = this.servers.find(({ id }) => id === serverId);
      const url = new URL(address);
      const server: RemoteServer = {
        id: before?.id ?? `server-${this.#nextId++}`,
        name,
        baseUrl: `${url.origin}/v1`,
        host: url.host,
        scope: url.hostname === '127.0.0.1' ? 'loopback' : 'public',
        encrypted: url.protocol === 'https:',
        key: key.kind === 'set' ? (key.store ? 'stored' : 'session') : key.kind === 'keep' ? (before?.key ?? 'none') : 'none',
        keyVariable: 'CONCLAVE_KEY_HOST',
        models: before?.models ?? [],
      };
      this.#set(before ? this.servers.map((known) => (known === before ? server : known)) : [...this.servers, server]);
      return server;
    },
    'remote.remove': ({ serverId }) => {
      this.#set(this.servers.filter(({ id }) => id !== serverId));
      return null;
    },
    'remote.test': ({ serverId }) => {
      const { host, key } = this.#find(serverId);
      if (host.startsWith('gpu-box'))
        throw serviceError('remote.unreachable', `Nothing answers at ${host}. Is the server running, and is the port right?`);
      if (key === 'none') throw serviceError('remote.unauthorized', `${host} wants a key (401). Enter one in the settings.`);
      return {
        models: [
          { name: LARGE, contextTokens: 131_072 },
          { name: 'gpt-oss-120b', contextTokens: 65_536 },
          { name: 'DeepSeek-V3.2', contextTokens: null },
        ],
      };
    },
    'remote.keyStorage': () => ({ problem: null }),
    'remote.addModel': ({ serverId, name, contextTokens }) => {
      const server = this.#find(serverId);
      const model = { id: `remote-${this.#nextId++}`, serverId, name, contextTokens };
      this.#set(this.servers.map((known) => (known === server ? { ...known, models: [...known.models, model] } : known)));
      return model;
    },
    'remote.removeModel': ({ modelId }) => {
      this.#set(this.servers.map((server) => ({ ...server, models: server.models.filter(({ id }) => id !== modelId) })));
      return null;
    },
    'remote.review': () => ({
      host: 'llm.example.org',
      passages: [
        {
          documentTitle: 'Lease 2024.pdf',
          page: 3,
          text: 'The tenant may end the lease with three months’ notice, in writing, to the end of any month.',
        },
        { documentTitle: 'Lease 2024.pdf', page: 7, text: 'The deposit is three months’ rent, held in a separate account.' },
      ],
    }),
    'remote.consent': () => null,
  };

  #set(servers: readonly RemoteServer[]): void {
    this.servers = servers;
    this.#onChange({ servers });
  }

  #find(serverId: string): RemoteServer {
    const server = this.servers.find(({ id }) => id === serverId);
    if (!server) throw serviceError('remote.missing', 'This server was removed.', { serverId });
    return server;
  }
}
