/** What `run` and `chat` share: sampling options, and one answer as text on stdout or as the JSON document. */
import type { EngineSession } from '../../../gpu/runtime/session.ts';
import type { Engine, SamplingSettings } from '../../../gpu/runtime/types.ts';
import type { Tokenizer } from '../../../gpu/tokenizer/types.ts';
import { UsageError, type CliContext, type CommonOptions, type Flags, type OptionSpec } from './command.ts';

export const GENERATION_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'max-tokens': { type: 'string', value: 'N', description: 'tokens at most (default 128)' },
  temperature: { type: 'string', value: 'X', description: '0 (the default) always takes the likeliest token' },
  'top-k': { type: 'string', value: 'K', description: 'likeliest tokens to choose from, 1 to 256 (default 40)' },
  'top-p': { type: 'string', value: 'P', description: 'least probability mass to choose from (default 0.95)' },
  'min-p': { type: 'string', value: 'P', description: 'least probability relative to the likeliest token (default 0.05)' },
  seed: { type: 'string', value: 'S', description: 'whole number; the same seed gives the same text (default 0)' },
};

export const GENERATION_USAGE = '[--max-tokens N --temperature X --top-k K --top-p P --min-p P --seed S --json]';

export interface GenerationSettings {
  readonly maxTokens: number;
  readonly sampling: SamplingSettings;
}

export function readGeneration(flags: Flags): GenerationSettings {
  const topP = flags.number('top-p', { min: 0, max: 1 }) ?? 0.95;
  if (topP === 0) throw new UsageError('--top-p is "0", but must be above 0.');
  return {
    maxTokens: flags.integer('max-tokens', { min: 1 }) ?? 128,
    sampling: {
      temperature: flags.number('temperature', { min: 0, max: 10 }) ?? 0,
      topK: flags.integer('top-k', { min: 1, max: 256 }) ?? 40,
      topP,
      minP: flags.number('min-p', { min: 0, max: 0.999 }) ?? 0.05,
      seed: flags.integer('seed', { min: 0, max: 2 ** 32 - 1 }) ?? 0,
    },
  };
}

/** Engine options from the common ones. What is declared for all commands but not possible yet is refused, never ignored. */
export function engineOptions(common: CommonOptions, signal: AbortSignal, log: (line: string) => void) {
  if (common.kvType !== 'f16') throw new UsageError(`--kv ${common.kvType} is not possible yet: keys and values are f16.`);
  let phase = '';
  return {
    adapter: common.adapter,
    contextTokens: common.contextTokens,
    expertsUsed: common.expertsUsed,
    gpuBudget: common.gpuBudget,
    ramBudget: common.ramBudget,
    dataFolder: common.dataFolder,
    signal,
    onProgress: (progress: { readonly phase: string }) => {
      if (progress.phase !== phase) log(`Loading ${progress.phase} …`);
      phase = progress.phase;
    },
  };
}

export interface Generating {
  readonly engine: Engine;
  readonly session: EngineSession;
  readonly tokenizer: Tokenizer;
  readonly loadMs: number;
  readonly device: { readonly capabilities: { readonly description: string; readonly software: boolean } };
}

/** Generates; `onText` hears the text as it comes. */
export async function generateText(
  { session, tokenizer }: Pick<Generating, 'session' | 'tokenizer'>,
  promptIds: Int32Array,
  { maxTokens, sampling }: GenerationSettings,
  signal: AbortSignal,
  onText: (piece: string) => void = () => undefined,
) {
  const decoder = tokenizer.decoder();
  const ids: number[] = [];
  let text = '';
  const emit = (piece: string) => {
    text += piece;
    onText(piece);
  };
  const result = await session.generate(
    { promptIds, maxTokens, sampling, endIds: tokenizer.endIds, signal },
    {
      onPrefill: () => undefined,
      onTokens: (batch) => {
        ids.push(...batch);
        for (const id of batch) if (!tokenizer.endIds.has(id)) emit(decoder.push(id));
      },
    },
  );
  emit(decoder.flush());
  return { text, ids, result };
}

/** Generates, streams the text (nothing under --json) and gives the result out. Ctrl-C ends it early with what there is. */
export async function generate(
  opened: Generating,
  promptIds: Int32Array,
  settings: GenerationSettings,
  context: CliContext,
): Promise<void> {
  const { engine } = opened;
  const { text, ids, result } = await generateText(opened, promptIds, settings, context.signal, (piece) => context.write(piece));
  const { prefillMs, decodeMs, promptTokens, answerTokens } = result;
  const timings = {
    loadMs: opened.loadMs,
    prefillMs,
    decodeMs,
    prefillTokensPerSecond: perSecond(promptTokens, prefillMs),
    decodeTokensPerSecond: perSecond(answerTokens, decodeMs),
  };
  const { description, software } = opened.device.capabilities;
  context.write('\n');
  context.log(
    `${promptTokens} prompt tokens in ${Math.round(prefillMs)} ms, ${answerTokens} tokens in ${Math.round(decodeMs)} ms (${timings.decodeTokensPerSecond.toFixed(1)} per second), ended by ${result.reason}, on ${description}`,
  );
  context.result({
    text,
    ids,
    promptIds: Array.from(promptIds),
    reason: result.reason,
    sampling: settings.sampling,
    counters: engine.counters(),
    memory: engine.memory(),
    timings,
    adapter: { description, software },
  });
}

function perSecond(tokens: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (tokens * 1000) / elapsedMs : 0;
}
