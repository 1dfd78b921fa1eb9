/**
 * A model's chat template: the one in its file where that passes a probe, else one of ours (fallback-templates.ts). The probe runs
 * conversations with and without a system message at load, so that a template that fails is known before a person asks something.
 */
import { engineError, isConclaveError } from '../../gpu/errors.ts';
import type { GgufFile } from '../../gpu/gguf/types.ts';
import type { ChatMessage, ChatTemplate, PromptPiece } from '../../gpu/tokenizer/types.ts';
import { JinjaTemplate } from './bounded-jinja.ts';
import { markContents } from './content-marking.ts';
import { fallbackTemplate, foldSystem } from './fallback-templates.ts';
import { readTemplateTokens, type TemplateTokens } from './template-tokens.ts';

export interface ChatTemplateOptions {
  /** The clock that templates may show to the model; local time. */
  readonly now?: () => Date;
}

/** Never throws for what the file holds: an unusable template gives the fallback and its `reason`. */
export function createChatTemplate(metadata: GgufFile['metadata'], options: ChatTemplateOptions = {}): ChatTemplate {
  const now = options.now ?? (() => new Date());
  const tokens = readTemplateTokens(metadata);
  const source = metadata.get('tokenizer.chat_template');
  if (typeof source !== 'string' || source.trim() === '') return ours(tokens, 'The file has no chat template.');
  try {
    return new FileTemplate(new JinjaTemplate(source), tokens, now);
  } catch (error) {
    if (!isConclaveError(error)) throw error;
    return ours(tokens, error.message);
  }
}

function ours(tokens: TemplateTokens, why: string): ChatTemplate {
  const template = fallbackTemplate(tokens.texts);
  return {
    source: 'fallback',
    reason: `${why} Conclave uses its own format (${template.name}), chosen by the model's special tokens.`,
    render: (messages) =>
      template
        .pieces(messages)
        .map((piece) => piece.text)
        .join(''),
    renderPieces: (messages) => template.pieces(messages),
  };
}

const PROBE_SYSTEM: ChatMessage = { role: 'system', content: 'probe system text' };
const PROBE_TURNS: readonly ChatMessage[] = [
  { role: 'user', content: 'probe first question' },
  { role: 'assistant', content: 'probe first answer' },
  { role: 'user', content: 'probe second question' },
];

class FileTemplate implements ChatTemplate {
  readonly source = 'file';
  readonly reason?: string;
  private readonly template: JinjaTemplate;
  private readonly tokens: TemplateTokens;
  private readonly now: () => Date;
  private readonly foldsSystem: boolean;

  /** Throws `model.template` when the probe fails. */
  constructor(template: JinjaTemplate, tokens: TemplateTokens, now: () => Date) {
    this.template = template;
    this.tokens = tokens;
    this.now = now;
    this.probe(PROBE_TURNS);
    this.probe(PROBE_TURNS.slice(0, 1));
    const conversation = [PROBE_SYSTEM, ...PROBE_TURNS];
    this.foldsSystem = !this.passes(conversation);
    if (this.foldsSystem) {
      this.probe(foldSystem(conversation));
      this.reason = 'The template has no place for a system message: it goes in front of the first question.';
    }
  }

  render(messages: readonly ChatMessage[]): string {
    return this.renderAt(this.prepare(messages), this.now());
  }

  renderPieces(messages: readonly ChatMessage[]): readonly PromptPiece[] {
    const now = this.now(); // one time for all runs
    return markContents((variant) => this.renderAt(variant, now), this.prepare(messages), this.tokens.specialTexts);
  }

  private prepare(messages: readonly ChatMessage[]): readonly ChatMessage[] {
    return this.foldsSystem ? foldSystem(messages) : messages;
  }

  private renderAt(messages: readonly ChatMessage[], now: Date): string {
    const variables = { messages, add_generation_prompt: true, tools: null, documents: null, ...this.tokens.variables };
    return this.template.render(variables, now);
  }

  /** Renders, and insists that every content is in the prompt, in order. */
  private probe(messages: readonly ChatMessage[]): void {
    const prompt = this.renderAt(messages, this.now());
    let at = 0;
    for (const { role, content } of messages) {
      at = prompt.indexOf(content, at);
      if (at < 0) throw missingContent(role);
      at += content.length;
    }
  }

  private passes(messages: readonly ChatMessage[]): boolean {
    try {
      this.probe(messages);
      return true;
    } catch (error) {
      if (isConclaveError(error)) return false;
      throw error;
    }
  }
}

function missingContent(role: string) {
  return engineError('model.template', `The model's chat template leaves out what the ${role} said.`, { role });
}
