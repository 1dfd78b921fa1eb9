/**
 * Prompt formats for files without a usable template, chosen by the special tokens of the vocabulary: a model that has the
 * markers of a format was trained with it.
 */
import type { ChatMessage, PromptPiece } from '../../gpu/tokenizer/types.ts';

export interface FallbackTemplate {
  readonly name: string;
  pieces(messages: readonly ChatMessage[]): PromptPiece[];
}

interface Format {
  readonly name: string;
  /** All of these must be tokens. */
  readonly tokens: readonly string[];
  /** Whether a system message has a place of its own; else it goes in front of the first question. */
  readonly system: boolean;
  around(role: ChatMessage['role']): readonly [before: string, after: string];
  readonly answer: string;
}

const HARMONY_STARTS: Readonly<Record<ChatMessage['role'], string>> = {
  system: '<|start|>developer<|message|># Instructions\n\n',
  user: '<|start|>user<|message|>',
  assistant: '<|start|>assistant<|channel|>final<|message|>',
};

const FORMATS: readonly Format[] = [
  {
    name: 'ChatML',
    tokens: ['<|im_start|>', '<|im_end|>'],
    system: true,
    around: (role) => [`<|im_start|>${role}\n`, '<|im_end|>\n'],
    answer: '<|im_start|>assistant\n',
  },
  {
    name: 'Llama 3',
    tokens: ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
    system: true,
    around: (role) => [`<|start_header_id|>${role}<|end_header_id|>\n\n`, '<|eot_id|>'],
    answer: '<|start_header_id|>assistant<|end_header_id|>\n\n',
  },
  {
    name: 'Harmony',
    tokens: ['<|start|>', '<|channel|>', '<|message|>', '<|end|>'],
    system: true,
    around: (role) => [HARMONY_STARTS[role], '<|end|>'],
    answer: '<|start|>assistant',
  },
  {
    name: 'Gemma',
    tokens: ['<start_of_turn>', '<end_of_turn>'],
    system: false,
    around: (role) => [`<start_of_turn>${role === 'assistant' ? 'model' : role}\n`, '<end_of_turn>\n'],
    answer: '<start_of_turn>model\n',
  },
  {
    name: 'Mistral',
    tokens: ['[INST]', '[/INST]'],
    system: false,
    around: (role) => (role === 'assistant' ? ['', '</s>'] : ['[INST] ', ' [/INST]']),
    answer: '',
  },
  {
    name: 'plain lines',
    tokens: [],
    system: true,
    around: (role) => [`${role[0].toUpperCase()}${role.slice(1)}: `, '\n\n'],
    answer: 'Assistant:',
  },
];

export function fallbackTemplate(tokens: ReadonlySet<string>): FallbackTemplate {
  const format = FORMATS.find((candidate) => candidate.tokens.every((token) => tokens.has(token)))!;
  return {
    name: format.name,
    pieces(messages) {
      const pieces = (format.system ? messages : foldSystem(messages)).flatMap(({ role, content }): PromptPiece[] => {
        const [before, after] = format.around(role);
        return [trusted(before), { text: content, trusted: false }, trusted(after)];
      });
      return [...pieces, trusted(format.answer)].filter((piece) => piece.text !== '');
    },
  };
}

function trusted(text: string): PromptPiece {
  return { text, trusted: true };
}

/** Puts a leading system message in front of the first question, for models that know no system role. */
export function foldSystem(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  const [system, first, ...rest] = messages;
  if (system?.role !== 'system') return messages;
  if (first?.role !== 'user') return [{ role: 'user', content: system.content }, ...messages.slice(1)];
  return [{ role: 'user', content: `${system.content}\n\n${first.content}` }, ...rest];
}
