/** `GET /models`: what a server offers, with the context length where it says one (vLLM, llama-server and others each in their way). */
import type { OfferedModel } from '../contract/remote.ts';
import { serviceError } from '../contract/errors.ts';
import { call, QUICK, systemLookup } from './connection.ts';
import type { CompletionTarget } from './completion.ts';
import { asRecord, asServerError, readText } from './failures.ts';

const MAX_LIST_BYTES = 8 * 2 ** 20;
const MOST_MODELS = 1000;
const MAX_NAME_CHARS = 500;
const MAX_CONTEXT_TOKENS = 2 ** 31;

/** Rejects with a `remote.*` error. */
export async function listModels(target: CompletionTarget, signal: AbortSignal): Promise<OfferedModel[]> {
  const { address, key, limits = QUICK, lookup = systemLookup } = target;
  const reply = await call({ address, key, path: '/models', limits, lookup, signal });
  const notCompatible = (what: string) =>
    serviceError(
      'remote.not-compatible',
      `${address.baseUrl}/models ${what}. Conclave talks to servers with OpenAI's protocol (vLLM, llama-server, Ollama, LM Studio); their address often ends in /v1.`,
      { host: address.host, status: reply.status },
    );
  if (reply.status === 404 || reply.status === 405) throw notCompatible(`is not there (${reply.status})`);
  if (reply.status !== 200) throw await asServerError(reply, address, key !== null);
  let value: unknown;
  const text = await readText(reply.body, MAX_LIST_BYTES);
  try {
    value = JSON.parse(text);
  } catch {
    throw notCompatible(/^\s*</.test(text) ? 'is a web page, not a list of models' : 'is no JSON');
  }
  const { data } = asRecord(value);
  if (!Array.isArray(data)) throw notCompatible('is no list of models');
  return data.slice(0, MOST_MODELS).flatMap((entry: unknown) => {
    const { id, ...rest } = asRecord(entry);
    if (typeof id !== 'string' || id.trim() === '' || id.length > MAX_NAME_CHARS || /[\p{Cc}\u2028\u2029]/u.test(id)) return [];
    return [{ name: id, contextTokens: contextOf(rest) }];
  });
}

function contextOf(entry: Readonly<Record<string, unknown>>): number | null {
  const meta = asRecord(entry.meta);
  const given = [entry.max_model_len, entry.context_length, entry.context_window, meta.n_ctx, meta.n_ctx_train];
  const found = given.find(
    (value) => Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= MAX_CONTEXT_TOKENS,
  );
  return (found as number | undefined) ?? null;
}
