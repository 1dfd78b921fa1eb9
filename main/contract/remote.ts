/**
 * Servers that speak OpenAI's protocol and that the user added: what pages may ask of them and what they hear. A key goes in and never
 * comes out again. Nothing here contacts a server but `remote.test`; questions go out with `chat.send` while a remote model is chosen.
 */

/** Where a server's address leads. `private`: the local network, by its numbers or its kind of name. */
export type RemoteScope = 'loopback' | 'private' | 'public';

/** Which key goes along. `session`: held until the app ends; `environment`: read from the server's variable. */
export type RemoteKeyState = 'none' | 'stored' | 'session' | 'environment';

export interface RemoteModel {
  readonly id: string;
  readonly serverId: string;
  /** As the server calls it. */
  readonly name: string;
  /** As the server said when it was asked; null when it did not. */
  readonly contextTokens: number | null;
}

export interface RemoteServer {
  readonly id: string;
  readonly name: string;
  /** What `/models` and `/chat/completions` are put behind; without a slash at its end. */
  readonly baseUrl: string;
  /** For people: the host, with its port where that is not the usual one. */
  readonly host: string;
  readonly scope: RemoteScope;
  readonly encrypted: boolean;
  readonly key: RemoteKeyState;
  /** The variable that a key for this host is read from where none was typed in. */
  readonly keyVariable: string;
  /** Those that the user put on the list of models. */
  readonly models: readonly RemoteModel[];
}

export interface RemoteState {
  readonly servers: readonly RemoteServer[];
}

/** What a server offers, as it says. */
export interface OfferedModel {
  readonly name: string;
  readonly contextTokens: number | null;
}

/** `keep` keeps the key only while the address stays the same: another address never gets it. */
export type RemoteKeyChange =
  | { readonly kind: 'keep' }
  | { readonly kind: 'none' }
  | { readonly kind: 'set'; readonly value: string; readonly store: boolean };

/** A piece of the user's documents on its way to a server. */
export interface OutgoingPassage {
  readonly documentTitle: string;
  /** From 1; null where the document has no pages. */
  readonly page: number | null;
  readonly text: string;
}

export interface RemoteRequests {
  /** Adds (`serverId` null) or changes a server. Contacts nobody. */
  'remote.save': {
    request: { serverId: string | null; name: string; address: string; key: RemoteKeyChange };
    response: RemoteServer;
  };
  /** With its models and its key. */
  'remote.remove': { request: { serverId: string }; response: null };
  /** Asks the server for its models. */
  'remote.test': { request: { serverId: string }; response: { models: readonly OfferedModel[] } };
  /** Whether a key can be kept over a restart; why not, in words. Asked when one is about to be typed: it may wake the key store. */
  'remote.keyStorage': { request: Record<string, never>; response: { problem: string | null } };
  'remote.addModel': { request: { serverId: string; name: string; contextTokens: number | null }; response: RemoteModel };
  'remote.removeModel': { request: { modelId: string }; response: null };
  /** What an answer that failed with `remote.consent` would have sent of the user's documents. */
  'remote.review': { request: { answerId: string }; response: { host: string; passages: readonly OutgoingPassage[] } };
  /** Allows exactly these passages for exactly this server, until the app ends; then `chat.regenerate` sends them. */
  'remote.consent': { request: { answerId: string }; response: null };
}

export interface RemoteEvents {
  'remote.changed': RemoteState;
}
