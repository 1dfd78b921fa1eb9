/**
 * Checks what a page sends: one schema per request channel, held to the types of channels.ts by the compiler. Everything that comes
 * from a page goes through `parseRequest`; limits are named and generous, and keep a page from filling memory or disk.
 */
import * as v from 'valibot';
import { KV_TYPES } from '../../gpu/quant/kv-types.ts';
import type { Channel, RequestOf } from './channels.ts';
import { serviceError } from './errors.ts';
import { MAX_ROUTING_MARGIN, MIN_ROUTING_MARGIN } from './approximate-routing.ts';
import { MAX_EXPERTS_USED } from './experts-used.ts';
import { REMOTE_SCHEMAS } from './remote-validators.ts';
import { empty, hasText, id, SAMPLING_SCHEMAS, wholeNumber } from './schema-parts.ts';
import { isRepository, isRepositoryFile, isRevision } from './model-address.ts';

/** UTF-16 units. A question may hold a pasted book; a database row must not hold a disk. */
export const MAX_MESSAGE_CHARS = 4_000_000;
const MAX_SYSTEM_PROMPT_CHARS = 200_000;
const MAX_TITLE_CHARS = 300;
const MAX_QUERY_CHARS = 500;
const MAX_PATH_CHARS = 32_767; // Windows' longest path
const MAX_URL_CHARS = 4000;
const MAX_LISTED = 1000;
const MAX_PATHS = 10_000;
const MAX_PASSAGES = 100;
const MAX_CONTEXT_TOKENS = 16_777_216;
/** Below it not even the smallest model's activations fit. */
const MIN_BUDGET_BYTES = 2 ** 20;
const MAX_BUDGET_BYTES = 2 ** 50;

const path = v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_PATH_CHARS), v.excludes('\0'));
const title = v.pipe(v.string(), hasText, v.maxLength(MAX_TITLE_CHARS));

const settings = v.partial(
  v.strictObject({
    theme: v.picklist(['system', 'light', 'dark']),
    selectedModelId: v.nullable(id),
    systemPrompt: v.pipe(v.string(), v.maxLength(MAX_SYSTEM_PROMPT_CHARS)),
    temperature: v.nullable(SAMPLING_SCHEMAS.temperature),
    topK: v.nullable(SAMPLING_SCHEMAS.topK),
    topP: v.nullable(SAMPLING_SCHEMAS.topP),
    minP: v.nullable(SAMPLING_SCHEMAS.minP),
    seed: v.nullable(wholeNumber(0, 2 ** 32 - 1)),
    contextTokens: v.nullable(wholeNumber(16, MAX_CONTEXT_TOKENS)),
    kvType: v.picklist(KV_TYPES),
    expertsUsed: v.nullable(wholeNumber(1, MAX_EXPERTS_USED)),
    approximateRouting: v.nullable(v.pipe(v.number(), v.minValue(MIN_ROUTING_MARGIN), v.maxValue(MAX_ROUTING_MARGIN))),
    gpuBudgetBytes: v.nullable(wholeNumber(MIN_BUDGET_BYTES, MAX_BUDGET_BYTES)),
    ramBudgetBytes: v.nullable(wholeNumber(0, MAX_BUDGET_BYTES)),
    maxAnswerTokens: wholeNumber(1, MAX_CONTEXT_TOKENS),
  }),
);

const repository = v.pipe(v.string(), v.maxLength(200), v.check(isRepository, 'it is not the id of a repository (owner/name)'));
const revision = v.pipe(v.string(), v.maxLength(200), v.check(isRevision, 'it is not the name of a revision'));
const downloadSource = v.variant('kind', [
  v.strictObject({ kind: v.literal('catalogue'), entryId: id, fileName: v.pipe(v.string(), v.minLength(1), v.maxLength(500)) }),
  v.strictObject({
    kind: v.literal('hugging-face'),
    repository,
    revision,
    file: v.pipe(v.string(), v.check(isRepositoryFile, 'it is not a GGUF file of a repository')),
  }),
  v.strictObject({
    kind: v.literal('url'),
    url: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_URL_CHARS)),
    sha256: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/i, 'it is not a SHA-256 (64 digits 0-9 a-f)'))),
  }),
]);
const aDownload = v.strictObject({ downloadId: id });

const SCHEMAS = {
  'app.state': empty,
  'conversations.list': v.strictObject({
    query: v.pipe(v.string(), v.maxLength(MAX_QUERY_CHARS)),
    limit: wholeNumber(1, MAX_LISTED),
    beforeMs: v.nullable(v.pipe(v.number(), v.safeInteger())),
  }),
  'conversations.get': v.strictObject({ conversationId: id }),
  'conversations.rename': v.strictObject({
    conversationId: id,
    title,
  }),
  'conversations.delete': v.strictObject({ conversationId: id }),
  'conversations.show': v.strictObject({ conversationId: id, messageId: id }),
  'chat.send': v.strictObject({
    conversationId: v.nullable(id),
    parentId: v.nullable(id),
    text: v.pipe(v.string(), hasText, v.maxLength(MAX_MESSAGE_CHARS)),
    collectionId: v.nullable(id),
  }),
  'chat.regenerate': v.strictObject({ answerId: id }),
  'chat.stop': v.strictObject({ answerId: id }),
  'experts.current': empty,
  'library.list': empty,
  'library.import': v.strictObject({ path }),
  'library.pick': empty,
  'library.remove': v.strictObject({ modelId: id }),
  'library.select': v.strictObject({ modelId: id }),
  'library.catalogue': empty,
  'library.lookUp': v.strictObject({ repository, revision }),
  'library.details': v.strictObject({ modelId: id }),
  'downloads.list': empty,
  'downloads.start': v.strictObject({ source: downloadSource }),
  'downloads.pause': aDownload,
  'downloads.resume': aDownload,
  'downloads.cancel': aDownload,
  'settings.update': settings,
  'documents.collections': empty,
  'documents.createCollection': v.strictObject({ name: title }),
  'documents.renameCollection': v.strictObject({ collectionId: id, name: title }),
  'documents.deleteCollection': v.strictObject({ collectionId: id }),
  'documents.list': v.strictObject({ collectionId: id }),
  'documents.add': v.strictObject({ collectionId: id, paths: v.pipe(v.array(path), v.minLength(1), v.maxLength(MAX_PATHS)) }),
  'documents.pick': v.strictObject({ collectionId: id, what: v.picklist(['files', 'folder']) }),
  'documents.remove': v.strictObject({ documentId: id }),
  'documents.retry': v.strictObject({ documentId: id }),
  'documents.cancel': v.strictObject({ collectionId: id }),
  'documents.search': v.strictObject({
    collectionId: id,
    query: v.pipe(v.string(), v.maxLength(MAX_QUERY_CHARS)),
    limit: wholeNumber(1, MAX_PASSAGES),
  }),
  'documents.text': v.strictObject({ documentId: id }),
  'documents.reveal': v.strictObject({ documentId: id }),
  'documents.use': v.strictObject({ conversationId: id, collectionId: v.nullable(id) }),
  ...REMOTE_SCHEMAS,
} satisfies { [C in Channel]: v.GenericSchema<unknown, RequestOf<C>> };

export function isChannel(name: string): name is Channel {
  return Object.hasOwn(SCHEMAS, name);
}

/** Throws `request.invalid` with the field and what is allowed there. */
export function parseRequest<C extends Channel>(channel: C, payload: unknown): RequestOf<C> {
  const schema: v.GenericSchema<unknown, RequestOf<C>> = SCHEMAS[channel];
  const result = v.safeParse(schema, payload);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? '';
  // A text that was sent is not said again: it may be a key, or very long.
  const problem = issue.received.startsWith('"') ? issue.message.replace(` but received ${issue.received}`, '') : issue.message;
  throw serviceError('request.invalid', `${channel}${field === '' ? '' : `, field ${field}`}: ${problem}.`, {
    channel,
    field,
  });
}

/** The same checks for settings that come from elsewhere (the database): unknown keys and impossible values are left out. */
export function validSettings(values: ReadonlyMap<string, unknown>): RequestOf<'settings.update'> {
  const entries = [...values].filter(([key, value]) => v.safeParse(settings, { [key]: value }).success);
  return v.parse(settings, Object.fromEntries(entries));
}
