/**
 * The routing profile of a model: how often each expert was used in earlier answers, so that the next start is warm. Pure: counts are merged
 * and faded here; who keeps the bytes is the caller's. A profile is a few kilobytes and says nothing of what was written.
 *
 * File: "CNCRPROF", u32 version, u32 layers, u32 experts, u32 model name bytes, f64 tokens (little endian), the name (UTF-8), f32 counts
 * `[layers, experts]`, f32 uses by depth `[experts]`, u32 checksum (FNV-1a of all before).
 */
import { engineError } from '../../errors.ts';
import { invariant } from '../../invariant.ts';

export interface RoutingProfile {
  /** Names the file it belongs to, as the caller identifies files (such as a content hash): a profile of another model is never used. */
  readonly modelId: string;
  readonly nExperts: number;
  /** Uses of each expert, faded by age, `[MoE layers][E]`. */
  readonly counts: readonly Float32Array[];
  /** Uses over all layers by how many other experts were used since the last time (reuse-depths.ts), faded like the counts, `[E]`. */
  readonly usesByDepth: Float32Array;
  /** Tokens that the counts are worth after fading. */
  readonly tokens: number;
}

const MAGIC = 'CNCRPROF';
const VERSION = 2;
const HEADER_BYTES = 32;
/** Far above every model that exists; they bound what a reader allocates. */
const LIMITS = { layers: 1024, experts: 4096, idBytes: 1024, tokens: 2 ** 40 } as const;

/** Tokens after which an old use counts half: some long conversations. */
export const PROFILE_HALF_LIFE_TOKENS = 20_000;

export function emptyProfile(modelId: string, nLayers: number, nExperts: number): RoutingProfile {
  return { modelId, nExperts, counts: rows(nLayers, nExperts), usesByDepth: new Float32Array(nExperts), tokens: 0 };
}

/** What some tokens used. */
export interface NewUses {
  /** `[MoE layers][E]` */
  readonly counts: readonly ArrayLike<number>[];
  /** `[E]` */
  readonly usesByDepth: ArrayLike<number>;
  readonly tokens: number;
}

/** `profile` faded by newer tokens, plus what these used. */
export function addToProfile(profile: RoutingProfile, { counts, usesByDepth, tokens }: NewUses): RoutingProfile {
  const { nExperts } = profile;
  invariant(
    counts.length === profile.counts.length && [...counts, usesByDepth].every(({ length }) => length === nExperts) && tokens >= 0,
    'counts are one per layer and expert',
  );
  const fade = 2 ** (-tokens / PROFILE_HALF_LIFE_TOKENS);
  return {
    ...profile,
    counts: profile.counts.map((old, layer) => old.map((count, expert) => count * fade + counts[layer][expert])),
    usesByDepth: profile.usesByDepth.map((count, depth) => count * fade + usesByDepth[depth]),
    tokens: profile.tokens * fade + tokens,
  };
}

export function serialiseProfile({ modelId, nExperts, counts, usesByDepth, tokens }: RoutingProfile): Uint8Array<ArrayBuffer> {
  const id = new TextEncoder().encode(modelId);
  invariant(id.length <= LIMITS.idBytes && counts.length > 0, 'a profile that its reader would refuse');
  const bytes = new Uint8Array(HEADER_BYTES + id.length + (counts.length + 1) * nExperts * 4 + 4);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  [VERSION, counts.length, nExperts, id.length].forEach((value, i) => view.setUint32(8 + 4 * i, value, true));
  view.setFloat64(24, tokens, true);
  bytes.set(id, HEADER_BYTES);
  let at = HEADER_BYTES + id.length;
  for (const row of [...counts, usesByDepth])
    for (const count of row) {
      view.setFloat32(at, count, true);
      at += 4;
    }
  view.setUint32(at, checksum(bytes.subarray(0, at)), true);
  return bytes;
}

/** Rejects anything that is not a whole profile with `profile.damaged`: delete it and start cold. */
export function parseProfile(bytes: Uint8Array): RoutingProfile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEADER_BYTES + 4) throw damaged(`it has ${bytes.length} bytes`);
  if (new TextDecoder('latin1').decode(bytes.subarray(0, 8)) !== MAGIC) throw damaged('it is not a routing profile');
  const [version, nLayers, nExperts, idBytes] = [8, 12, 16, 20].map((at) => view.getUint32(at, true));
  if (version !== VERSION) throw damaged(`its version is ${version}, this program reads version ${VERSION}`);
  if (nLayers === 0 || nLayers > LIMITS.layers || nExperts === 0 || nExperts > LIMITS.experts || idBytes > LIMITS.idBytes)
    throw damaged(`it claims ${nLayers} layers, ${nExperts} experts and a name of ${idBytes} bytes`);
  const expectedBytes = HEADER_BYTES + idBytes + (nLayers + 1) * nExperts * 4 + 4;
  if (bytes.length !== expectedBytes) throw damaged(`it has ${bytes.length} bytes, but should have ${expectedBytes}`);
  if (view.getUint32(expectedBytes - 4, true) !== checksum(bytes.subarray(0, expectedBytes - 4)))
    throw damaged('its checksum does not fit its bytes');
  const tokens = view.getFloat64(24, true);
  if (!(tokens >= 0 && tokens <= LIMITS.tokens)) throw damaged(`it claims ${tokens} tokens`);
  const table = Array.from({ length: nLayers + 1 }, (_, row) =>
    Float32Array.from({ length: nExperts }, (_, expert) => {
      const count = view.getFloat32(HEADER_BYTES + idBytes + (row * nExperts + expert) * 4, true);
      if (!(count >= 0 && count <= LIMITS.tokens)) throw damaged(`row ${row} has a count of ${count}`);
      return count;
    }),
  );
  return {
    modelId: readId(bytes.subarray(HEADER_BYTES, HEADER_BYTES + idBytes)),
    nExperts,
    counts: table.slice(0, nLayers),
    usesByDepth: table[nLayers],
    tokens,
  };
}

function rows(nRows: number, length: number): Float32Array[] {
  return Array.from({ length: nRows }, () => new Float32Array(length));
}

function readId(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw damaged('the name of its model is not UTF-8');
  }
}

/** 32-bit FNV-1a (Fowler, Noll, Vo): against damage, not against forgery. */
function checksum(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function damaged(what: string) {
  return engineError('profile.damaged', `The routing profile cannot be used: ${what}. Delete it; the next start is cold.`);
}
