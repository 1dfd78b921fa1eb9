/** Schemas of the requests of remote.ts. A key is one line of visible ASCII, so that it can end no header and begin none. */
import * as v from 'valibot';
import type { RemoteRequests } from './remote.ts';
import { empty, hasText, id, wholeNumber } from './schema-parts.ts';

const MAX_NAME_CHARS = 100;
const MAX_ADDRESS_CHARS = 2000;
const MAX_KEY_CHARS = 4096;
const MAX_MODEL_NAME_CHARS = 500;
const MAX_CONTEXT_TOKENS = 2 ** 31;

const oneLine = (most: number) =>
  v.pipe(
    v.string(),
    v.maxLength(most),
    hasText,
    v.check((text) => !/[\p{Cc}\u2028\u2029]/u.test(text), 'it must be one line'),
  );

const key = v.variant('kind', [
  v.strictObject({ kind: v.literal('keep') }),
  v.strictObject({ kind: v.literal('none') }),
  v.strictObject({
    kind: v.literal('set'),
    value: v.pipe(
      v.string(),
      v.maxLength(MAX_KEY_CHARS),
      // Said without the value: what is refused may be a real key.
      v.check((text) => /^[\x21-\x7e]+$/.test(text), 'a key is one word of letters, digits and signs, without spaces'),
    ),
    store: v.boolean(),
  }),
]);

export const REMOTE_SCHEMAS = {
  'remote.save': v.strictObject({
    serverId: v.nullable(id),
    name: oneLine(MAX_NAME_CHARS),
    address: oneLine(MAX_ADDRESS_CHARS),
    key,
  }),
  'remote.remove': v.strictObject({ serverId: id }),
  'remote.test': v.strictObject({ serverId: id }),
  'remote.keyStorage': empty,
  'remote.addModel': v.strictObject({
    serverId: id,
    name: oneLine(MAX_MODEL_NAME_CHARS),
    contextTokens: v.nullable(wholeNumber(1, MAX_CONTEXT_TOKENS)),
  }),
  'remote.removeModel': v.strictObject({ modelId: id }),
  'remote.review': v.strictObject({ answerId: id }),
  'remote.consent': v.strictObject({ answerId: id }),
} satisfies { [C in keyof RemoteRequests]: v.GenericSchema<unknown, RemoteRequests[C]['request']> };
