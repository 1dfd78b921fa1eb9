/**
 * `POST /chat/completions` with `stream: true`: text as it comes, then how it ended. Only parameters of the protocol are sent (top-k and
 * min-p are not in it); two that some servers do not know are left out or renamed when a server says so. Thoughts that a server sends apart
 * from the answer are put before it as `<think> … </think>`.
 */
import { ConclaveError } from '../../gpu/errors.ts';
import { serviceError } from '../contract/errors.ts';
import type { ServerAddress } from './address.ts';
import { call, PATIENT, systemLookup, type ConnectionLimits, type HostLookup, type RemoteReply } from './connection.ts';
import { asRecord, asServerError, asStreamError, plain, readText } from './failures.ts';
import { ServerSentEvents, type ServerSentEvent } from './server-sent-events.ts';

/** UTF-16 units; as long as a question may be. A server that never ends must not fill memory and disk. */
const MAX_ANSWER_CHARS = 4_000_000;
const MAX_WHOLE_ANSWER_BYTES = 32 * 2 ** 20;

const OPENING = '<think>\n';
const CLOSING = '\n</think>\n\n';

export interface CompletionRequest {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly maxTokens: number;
  /** null, as the seed: the server's choice. */
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly seed: number | null;
}

export interface CompletionTarget {
  readonly address: ServerAddress;
  readonly key: string | null;
  readonly limits?: ConnectionLimits;
  readonly lookup?: HostLookup;
}

export interface CompletionResult {
  /** As the server counted; null when it did not say. */
  readonly usage: { readonly promptTokens: number; readonly answerTokens: number } | null;
  /** It had as many tokens as it may have. */
  readonly isCut: boolean;
}

/** Calls `onText` for each piece (it may be empty: a role, half a character). Rejects with a `remote.*` error or the signal's reason. */
export async function streamCompletion(
  target: CompletionTarget,
  request: CompletionRequest,
  onText: (text: string) => void,
  signal: AbortSignal,
): Promise<CompletionResult> {
  const { address, key } = target;
  const reply = await ask(target, parametersOf(request), signal);
  if (reply.contentType === 'text/html')
    throw serviceError('remote.not-compatible', `${address.host} answered with a web page.`, { host: address.host });
  const answer = new StreamedAnswer(address, onText);
  if (reply.contentType === 'application/json') return answer.whole(await readText(reply.body, MAX_WHOLE_ANSWER_BYTES));
  const events = new ServerSentEvents();
  try {
    for await (const bytes of reply.body) if (events.push(bytes).some((event) => answer.take(event))) return answer.end();
    events.end().forEach((event) => answer.take(event));
  } catch (error) {
    // After the last word, however the connection ends is the end.
    if (!(answer.isComplete && error instanceof ConclaveError && error.code === 'remote.cut')) throw error;
  }
  return answer.end();

  async function ask(at: CompletionTarget, parameters: Record<string, unknown>, aborted: AbortSignal): Promise<RemoteReply> {
    const body = JSON.stringify(parameters);
    const { limits = PATIENT, lookup = systemLookup } = at;
    const given = await call({ ...at, path: '/chat/completions', body, limits, lookup, signal: aborted });
    if (given.status === 200) return given;
    const error = await asServerError(given, address, key !== null);
    const simpler = given.status === 400 || given.status === 422 ? without(parameters, error.message) : null;
    if (simpler) return ask(at, simpler, aborted);
    throw error;
  }
}

function parametersOf(request: CompletionRequest): Record<string, unknown> {
  return {
    model: request.model,
    messages: request.messages.map(({ role, content }) => ({ role, content })),
    stream: true,
    stream_options: { include_usage: true },
    max_tokens: request.maxTokens,
    ...(request.temperature === null ? {} : { temperature: request.temperature }),
    ...(request.topP === null ? {} : { top_p: request.topP }),
    ...(request.seed === null ? {} : { seed: request.seed }),
  };
}

/** The same without what the server's words name as unknown; null where nothing can be left out. */
function without(parameters: Record<string, unknown>, words: string): Record<string, unknown> | null {
  const { stream_options: options, max_tokens: maxTokens, ...rest } = parameters;
  if (options !== undefined && words.includes('stream_options'))
    return { ...rest, ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }) };
  if (maxTokens !== undefined && words.includes('max_completion_tokens'))
    return { ...rest, ...(options === undefined ? {} : { stream_options: options }), max_completion_tokens: maxTokens };
  return null;
}

/** Puts one answer together from its events, whatever order usage, end and `[DONE]` come in. */
class StreamedAnswer {
  readonly #address: ServerAddress;
  readonly #onText: (text: string) => void;
  #chars = 0;
  #events = 0;
  #part: 'nothing' | 'thoughts' | 'answer' = 'nothing';
  #finish: string | null = null;
  #done = false;
  #usage: CompletionResult['usage'] = null;

  constructor(address: ServerAddress, onText: (text: string) => void) {
    this.#address = address;
    this.#onText = onText;
  }

  get isComplete(): boolean {
    return this.#finish !== null || this.#done;
  }

  /** Returns whether nothing can follow. */
  take({ field, text }: ServerSentEvent): boolean {
    this.#events++;
    if (field === 'data' && text.trim() === '[DONE]') return (this.#done = true);
    const value = asRecord(this.#parse(text));
    if (field === 'error') throw asStreamError(value, this.#address);
    if (value.error !== undefined && value.error !== null) throw asStreamError(value.error, this.#address);
    this.#takeUsage(value.usage);
    const choice = asRecord((Array.isArray(value.choices) ? value.choices : [])[0]);
    if ('delta' in choice || 'message' in choice) this.#takePiece(asRecord(choice.delta ?? choice.message));
    if (typeof choice.finish_reason === 'string') this.#finish = choice.finish_reason;
    return false;
  }

  /** A reply that is one piece: the server does not stream. */
  whole(text: string): CompletionResult {
    const value = asRecord(this.#parse(text));
    if (!Array.isArray(value.choices) && value.error === undefined) throw this.#notCompatible(text);
    this.take({ field: 'data', text });
    this.#done = true;
    return this.end();
  }

  end(): CompletionResult {
    const { host } = this.#address;
    if (this.#events === 0) throw this.#notCompatible('nothing of it');
    if (!this.isComplete)
      throw serviceError('remote.cut', `${host} closed the connection before the end of the answer. What came is kept.`, {
        host,
      });
    if (this.#part === 'thoughts') this.#add(CLOSING);
    if (this.#finish === 'content_filter')
      throw serviceError('remote.failed', `A filter of ${host} ended the answer. What came is kept.`, { host });
    return { usage: this.#usage, isCut: this.#finish === 'length' };
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw this.#notCompatible(text);
    }
  }

  /** Thoughts are `reasoning_content` or `reasoning`, at some servers both; those that come behind the answer's first word are left out. */
  #takePiece({ content, reasoning_content: named, reasoning }: Record<string, unknown>): void {
    const thought = this.#part === 'answer' ? '' : [named, reasoning].find(isText);
    const said = isText(content) ? content : '';
    let text = '';
    if (thought) {
      text = this.#part === 'nothing' ? OPENING + thought : thought;
      this.#part = 'thoughts';
    }
    // Around thoughts some servers send empty lines, which begin no answer.
    if (said.trim() !== '') {
      text += this.#part === 'thoughts' ? CLOSING + said.trimStart() : said;
      this.#part = 'answer';
    } else if (this.#part !== 'thoughts') text += said;
    this.#add(text);
  }

  #add(text: string): void {
    this.#chars += text.length;
    if (this.#chars > MAX_ANSWER_CHARS) {
      const { host } = this.#address;
      throw serviceError(
        'remote.failed',
        `The answer of ${host} does not end: it was stopped at ${MAX_ANSWER_CHARS} characters.`,
        {
          host,
        },
      );
    }
    this.#onText(text);
  }

  #takeUsage(value: unknown): void {
    const { prompt_tokens: promptTokens, completion_tokens: answerTokens } = asRecord(value);
    if (isCount(promptTokens) && isCount(answerTokens)) this.#usage = { promptTokens, answerTokens };
  }

  #notCompatible(text: string): ConclaveError {
    const { host } = this.#address;
    const message = `What ${host} sent is not a streamed chat answer: "${plain(text).slice(0, 120)}".`;
    return serviceError('remote.not-compatible', message, { host });
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
