/**
 * The tokens of a model: text, bytes, type and score of each, the ids with a role, and which text may become which id.
 * Control, unknown and byte tokens are left out of `idOfText`: merges over what a person wrote must never arrive at them.
 */
import { MAX_TOKENS, readNumberArray, readStringArray, readTokenId, type GgufMetadata } from './metadata.ts';

/** `tokenizer.ggml.token_type`, as ggml numbers them. */
export const TokenType = { undefined: 0, normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Vocabulary {
  readonly size: number;
  /** null where the bytes are not UTF-8: such a token is never made from text, only decoded. */
  readonly texts: readonly (string | null)[];
  rawBytes(id: number): Uint8Array;
  /** One `TokenType` per token. */
  readonly types: Uint8Array;
  /** Zeros when the file has none. */
  readonly scores: Float32Array;
  /** Text → id over tokens that text may become. The lower id wins where a text occurs twice. */
  readonly idOfText: ReadonlyMap<string, number>;
  /** Text → id over all tokens. */
  readonly idOfAnyText: ReadonlyMap<string, number>;
  readonly endIds: ReadonlySet<number>;
}

/** Texts that end an answer whatever their type says; llama.cpp (src/llama-vocab.cpp) knows the same. */
const END_TEXTS = [
  ...[
    '<|eot_id|>',
    '<|im_end|>',
    '<|end|>',
    '<|return|>',
    '<|call|>',
    '<|flush|>',
    '<|calls|>',
    '<end_of_turn>',
    '<|endoftext|>',
  ],
  ...['</s>', '<|eom_id|>', '<EOT>', '_<EOT>', '[EOT]', '[EOS]', '<|end_of_text|>', '<end_of_utterance>', '<eos>', '<turn|>'],
  ...['<｜end▁of▁sentence｜>', '[e~['],
];
/** Markers of fill-in-the-middle files: a model that writes one has left the answer. */
const FILE_END_TEXTS = ['<|fim_pad|>', '<fim-pad>', '<fim_pad>', '<|fim_repo|>', '<|repo_name|>', '<fim-repo>', '<|file_sep|>'];

export function readVocabulary(metadata: GgufMetadata): Vocabulary {
  const tokens = readStringArray(metadata, 'tokenizer.ggml.tokens', MAX_TOKENS);
  const size = tokens.length;
  const types = new Uint8Array(size).fill(TokenType.normal);
  const fileTypes = readNumberArray(metadata, 'tokenizer.ggml.token_type', size);
  if (fileTypes) for (let id = 0; id < size; id++) types[id] = fileTypes[id];
  const scores = new Float32Array(size);
  const fileScores = readNumberArray(metadata, 'tokenizer.ggml.scores', size);
  if (fileScores) for (let id = 0; id < size; id++) scores[id] = fileScores[id];

  const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const texts: (string | null)[] = new Array<string | null>(size);
  const idOfAnyText = new Map<string, number>();
  for (let id = 0; id < size; id++) {
    const text = decodeOrNull(utf8, tokens.stringBytes(id));
    texts[id] = text;
    if (text !== null && text !== '' && !idOfAnyText.has(text)) idOfAnyText.set(text, id);
  }
  for (const text of END_TEXTS) {
    const id = idOfAnyText.get(text);
    if (id !== undefined) types[id] = TokenType.control;
  }
  const idOfText = new Map<string, number>();
  for (let id = 0; id < size; id++) {
    const text = texts[id];
    const type = types[id];
    if (text === null || text === '' || idOfText.has(text)) continue;
    if (type !== TokenType.control && type !== TokenType.unknown && type !== TokenType.byte) idOfText.set(text, id);
  }
  const endIds = findEndIds(metadata, idOfAnyText, size);
  return { size, texts, rawBytes: (id) => tokens.stringBytes(id), types, scores, idOfText, idOfAnyText, endIds };
}

function findEndIds(metadata: GgufMetadata, idOfAnyText: ReadonlyMap<string, number>, size: number): Set<number> {
  const endIds = new Set<number>();
  for (const text of [...END_TEXTS, ...FILE_END_TEXTS]) {
    const id = idOfAnyText.get(text);
    if (id !== undefined) endIds.add(id);
  }
  // Harmony files: <|end|> closes a message inside an answer; <|return|> and <|call|> (or <|flush|> and <|calls|>) close the answer.
  const has = (text: string) => idOfAnyText.has(text);
  if ((has('<|return|>') && has('<|call|>')) || (has('<|flush|>') && (has('<|call|>') || has('<|calls|>')))) {
    endIds.delete(idOfAnyText.get('<|end|>') ?? -1);
  }
  for (const role of ['eos', 'eot', 'eom']) {
    const id = readTokenId(metadata, `tokenizer.ggml.${role}_token_id`, size);
    if (id !== null) endIds.add(id);
  }
  return endIds;
}

function decodeOrNull(utf8: InstanceType<typeof TextDecoder>, bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null; // not UTF-8: a legitimate token of bytes, not an error
  }
}
