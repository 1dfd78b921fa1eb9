/**
 * A server's address as a person types it → the base URL that `/models` and `/chat/completions` are put behind, and how far it leads:
 * this computer, the local network, or anywhere. Without encryption only the first two are allowed, and the addresses that a name
 * resolves to are held to that again when the connection is made (connection.ts).
 */
import { BlockList, isIP } from 'node:net';
import { asUrl } from '../contract/as-url.ts';
import { serviceError } from '../contract/errors.ts';
import type { RemoteScope } from '../contract/remote.ts';

export interface ServerAddress {
  readonly baseUrl: string;
  readonly origin: string;
  /** With its port where that is not the usual one. */
  readonly host: string;
  readonly scope: RemoteScope;
  readonly encrypted: boolean;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** RFC 1918, link-local, shared (RFC 6598, also Tailscale), unique local. */
const PRIVATE = new BlockList();
for (const [net, prefix] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['169.254.0.0', 16],
  ['100.64.0.0', 10],
] as const)
  PRIVATE.addSubnet(net, prefix, 'ipv4');
PRIVATE.addSubnet('fc00::', 7, 'ipv6');
PRIVATE.addSubnet('fe80::', 10, 'ipv6');

/** Endings that no public name has (RFC 6761, 6762, 8375 and ICANN's reservation). */
const PRIVATE_NAMES = /\.(local|lan|home|internal|intranet|home\.arpa|localdomain)$/;

function scopeOfAddress(address: string): RemoteScope {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (LOOPBACK.check(address, family)) return 'loopback';
  return PRIVATE.check(address, family) ? 'private' : 'public';
}

/** `hostname` as URL gives it: lower case, numbers normalised, IPv6 in brackets. */
export function scopeOfHost(hostname: string): RemoteScope {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (isIP(bare) !== 0) return scopeOfAddress(bare);
  if (bare === 'localhost' || bare.endsWith('.localhost')) return 'loopback';
  return !bare.includes('.') || PRIVATE_NAMES.test(bare) ? 'private' : 'public';
}

/** Whether a connection to a server may go to the IP address that its name led to. Encrypted ones are held by their certificate. */
export function mayConnect({ scope, encrypted }: Pick<ServerAddress, 'scope' | 'encrypted'>, address: string): boolean {
  if (scope === 'public' || (encrypted && scope === 'private')) return true;
  const found = scopeOfAddress(address);
  return found === 'loopback' || found === scope;
}

/** Throws `remote.address` with what is wrong and what would be right. */
export function parseServerAddress(given: string): ServerAddress {
  const url = asUrl(withScheme(given.trim()));
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.hostname === '')
    throw refused(given, 'is not the address of a server. It begins with https:// or http://, such as http://127.0.0.1:8080');
  if (url.username !== '' || url.password !== '')
    throw refused(url.host, 'has a user name or password in its address. Leave them out; a key has its own field');
  if (url.search !== '' || url.hash !== '') throw refused(url.host, 'has a "?" or "#" in its address. End it before that sign');
  const scope = scopeOfHost(url.hostname);
  const encrypted = url.protocol === 'https:';
  if (!encrypted && scope === 'public')
    throw refused(
      url.host,
      'is on the internet, and http:// is not encrypted: anyone on the way could read your questions. Use https://',
    );
  const path = url.pathname.replace(/\/+$/, '').replace(/\/(chat\/completions|models)$/, '');
  return { baseUrl: `${url.origin}${path === '' ? '/v1' : path}`, origin: url.origin, host: url.host, scope, encrypted };
}

/** People type `localhost:8080`: near by that is http, elsewhere https. */
function withScheme(given: string): string {
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(given)) return given;
  const guess = asUrl(`http://${given}`);
  return guess && scopeOfHost(guess.hostname) !== 'public' ? `http://${given}` : `https://${given}`;
}

/**
 * The environment variable of a host's key. It is made from the host, so that no page can have another variable, or another host's
 * key, sent somewhere: `.` becomes `_` and `-` becomes `__`.
 */
export function keyVariableOf(address: Pick<ServerAddress, 'host'>): string {
  const name = address.host
    .replaceAll(/[[\]]/g, '')
    .replaceAll('-', '__')
    .replaceAll(/[^a-z\d_]/gi, '_');
  return `CONCLAVE_KEY_${name.toUpperCase()}`;
}

function refused(host: string, problem: string) {
  return serviceError('remote.address', `${host.slice(0, 200)} ${problem}.`, { address: host.slice(0, 200) });
}
