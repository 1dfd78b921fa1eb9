/** What a chat template and its guards need of the vocabulary: the texts of BOS and its kind, and which texts are special. */
import type { GgufFile } from '../../gpu/gguf/types.ts';
import { TokenType } from '../../gpu/tokenizer/vocabulary.ts';

export interface TemplateTokens {
  /** `bos_token` and the like, '' where the file has none. */
  readonly variables: Readonly<Record<string, string>>;
  /** Every token's text. */
  readonly texts: ReadonlySet<string>;
  /** Texts of control and user-defined tokens. */
  readonly specialTexts: readonly string[];
}

const ROLES: Readonly<Record<string, string>> = { bos: 'bos', eos: 'eos', unk: 'unknown', pad: 'padding' };

export function readTemplateTokens(metadata: GgufFile['metadata']): TemplateTokens {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const texts = typeof tokens === 'object' && tokens.elementType === 'STRING' ? tokens.strings() : [];
  const variables = Object.fromEntries(
    Object.entries(ROLES).map(([role, key]) => {
      const id = metadata.get(`tokenizer.ggml.${key}_token_id`);
      return [`${role}_token`, typeof id === 'number' ? (texts[id] ?? '') : ''];
    }),
  );
  const types = metadata.get('tokenizer.ggml.token_type');
  const typeOf: ArrayLike<number | bigint> = typeof types === 'object' && types.elementType !== 'STRING' ? types.numbers() : [];
  const specialTexts = texts.filter(
    (text, id) => text !== '' && (Number(typeOf[id]) === TokenType.control || Number(typeOf[id]) === TokenType.userDefined),
  );
  return { variables, texts: new Set(texts), specialTexts };
}
