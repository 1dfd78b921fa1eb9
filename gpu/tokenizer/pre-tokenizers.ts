/**
 * Splitting text into words before byte-level merges, by the name in `tokenizer.ggml.pre`. Each pattern is applied in turn to what
 * the ones before left; text between matches is a word of its own. The patterns are those of the models' tokenizer.json in
 * the form llama.cpp (src/llama-vocab.cpp) runs them, so that both give the same ids.
 *
 * `\s` is written \p{White_Space}: JavaScript's own \s has U+FEFF, which is no white space here, and lacks U+0085.
 */
import { tokenizerError } from './metadata.ts';

export interface PreTokenizer {
  readonly patterns: readonly RegExp[];
  /** A word that is a token becomes it without looking at merges. */
  readonly ignoreMerges: boolean;
  /** Whether BOS is added where the file does not say. */
  readonly addBos: boolean;
}

const SPACE = String.raw`\p{White_Space}`;
const OTHER = String.raw`[^\p{White_Space}\p{L}\p{N}]`;
const ENDING = String.raw`${SPACE}+(?!\P{White_Space})|${SPACE}+`;
const LINES = String.raw`${SPACE}*[\r\n]+|${ENDING}`;
const CONTRACTIONS = String.raw`'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]`;
const WORD = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`;
// Letters but for a–z (A–Z): beyond ASCII a letter is both, as in llama.cpp, which keeps one class for all of them.
const UPPER = String.raw`(?:(?![a-z])\p{L})`;
const LOWER = String.raw`(?:(?![A-Z])\p{L})`;

const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?${OTHER}+|${ENDING}`;
const QWEN2 = String.raw`${CONTRACTIONS}|${WORD}|\p{N}| ?${OTHER}+[\r\n]*|${LINES}`;
const LLAMA3 = String.raw`${CONTRACTIONS}|${WORD}|\p{N}{1,3}| ?${OTHER}+[\r\n]*|${LINES}`;
// One line break at a time, where Qwen2's takes all of them.
const BAILING = String.raw`${CONTRACTIONS}|${WORD}|\p{N}| ?${OTHER}+[\r\n]*|${SPACE}*[\r\n]|${ENDING}`;
const GPT4O = [
  String.raw`[^\r\n\p{L}\p{N}]?${UPPER}*${LOWER}+(?:${CONTRACTIONS})?`,
  String.raw`[^\r\n\p{L}\p{N}]?${UPPER}+${LOWER}*(?:${CONTRACTIONS})?`,
  String.raw`\p{N}{1,3}| ?${OTHER}+[\r\n/]*|${LINES}`,
].join('|');
const DEFAULT = [String.raw`[\p{P}$+<=>^~|]+`, GPT2, String.raw`\p{N}+`, '[0-9][0-9][0-9]'];

interface Family {
  readonly names: readonly string[];
  readonly patterns: readonly string[];
  readonly ignoreMerges?: boolean;
  readonly addBos?: boolean;
}

const FAMILIES: readonly Family[] = [
  {
    names: ['smollm', 'starcoder', 'command-r', 'exaone', 'refact', 'codeshell', 'minerva-7b'],
    patterns: [String.raw`\p{N}`, GPT2],
  },
  { names: ['gpt-2', 'olmo', 'phi-2', 'mpt', 'exaone4', 'gigachat', 'a.x-4.0', 'mellum', 'jais', 'trillion'], patterns: [GPT2] },
  { names: ['qwen2', 'deepseek-r1-qwen', 'megrez', 'stablelm2', 'hunyuan', 'grok-2', 'solar-open', 'kormo'], patterns: [QWEN2] },
  {
    names: ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'falcon-h1', 'pixtral', 'midm-2.0', 'lfm2'],
    patterns: [LLAMA3],
    ignoreMerges: true,
    addBos: true,
  },
  { names: ['dbrx', 'smaug-bpe', 'glm4', 'chatglm-bpe'], patterns: [LLAMA3] },
  { names: ['bailingmoe', 'bailingmoe2', 'llada-moe'], patterns: [BAILING] },
  { names: ['gpt-4o', 'llama4', 'kanana2', 'minimax-m2'], patterns: [GPT4O] },
  { names: ['default'], patterns: DEFAULT },
];

/** Every name of `tokenizer.ggml.pre` that is understood. */
export const PRE_TOKENIZER_NAMES: readonly string[] = FAMILIES.flatMap((family) => family.names);

/** Throws `model.tokenizer` for a name that is not known: guessing would give a model other words than it was trained on. */
export function preTokenizer(name: string): PreTokenizer {
  const family = FAMILIES.find((candidate) => candidate.names.includes(name));
  if (!family) {
    throw tokenizerError(
      'tokenizer.ggml.pre',
      JSON.stringify(name.slice(0, 60)),
      PRE_TOKENIZER_NAMES.join(', '),
      'Choose a file of a model whose pre-tokenizer is on this list.',
    );
  }
  return {
    patterns: family.patterns.map((pattern) => new RegExp(pattern, 'gu')),
    ignoreMerges: family.ignoreMerges ?? false,
    addBos: family.addBos ?? false,
  };
}

/** The words of `text` in order; joined they are `text`. */
export function splitWords(text: string, patterns: readonly RegExp[]): string[] {
  let words = [text];
  for (const pattern of patterns) {
    const next: string[] = [];
    for (const word of words) splitByPattern(word, pattern, next);
    words = next;
  }
  return words;
}

function splitByPattern(text: string, pattern: RegExp, words: string[]): void {
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) words.push(text.slice(end, match.index));
    words.push(match[0]);
    end = match.index + match[0].length;
  }
  if (end < text.length) words.push(text.slice(end));
}
