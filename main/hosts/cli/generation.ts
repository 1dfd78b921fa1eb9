/** What `run` and `chat` share: sampling options, and one answer as text on stdout or as the JSON document. */
import type { ConclaveError } from '../../../gpu/errors.ts';
import type { GgufFile } from '../../../gpu/gguf/types.ts';
import type { EngineSession } from '../../../gpu/runtime/session.ts';
import type { Engine, SamplingSettings } from '../../../gpu/runtime/types.ts';
import type { Tokenizer } from '../../../gpu/tokenizer/types.ts';
import {
  APP_SAMPLING,
  chooseSampling,
  samplingWords,
  type NamedSampling,
  type Sampling,
  type SamplingKey,
} from '../../contract/sampling.ts';
import type { EncodedPrompt } from '../../chat/chat-model.ts';
import { answerDecoder } from '../../chat/harmony-decoder.ts';
import { routingAgreement } from '../../contract/approximate-routing.ts';
import { readSampling } from '../../library/read-sampling.ts';
import { UsageError, type CliContext, type CommonOptions, type Flags, type OptionSpec } from './command.ts';

export const GENERATION_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'max-tokens': { type: 'string', value: 'N', description: 'tokens at most (default 128)' },
  temperature: {
    type: 'string',
    value: 'X',
    description: '0 always takes the likeliest token (default: what the model says, or 0)',
  },
  'top-k': {
    type: 'string',
    value: 'K',
    description: 'likeliest tokens to choose from, 0 (all) to 256 (default: what the model says, or 40)',
  },
  'top-p': {
    type: 'string',
    value: 'P',
    description: 'least probability mass to choose from (default: what the model says, or 0.95)',
  },
  'min-p': {
    type: 'string',
    value: 'P',
    description: 'least probability relative to the likeliest token (default: what the model says, or 0.05)',
  },
  seed: { type: 'string', value: 'S', description: 'whole number; the same seed gives the same text (default 0)' },
};

export const GENERATION_USAGE = '[--max-tokens N --temperature X --top-k K --top-p P --min-p P --seed S --json]';

/** A command without a temperature gives the same text each time, unless the model's file asks for more. */
const CLI_SAMPLING: Sampling = { ...APP_SAMPLING, temperature: 0 };

export interface GenerationFlags {
  readonly maxTokens: number;
  /** null: not given. */
  readonly sampling: NamedSampling;
  readonly seed: number;
}

export interface GenerationSettings {
  readonly maxTokens: number;
  readonly sampling: SamplingSettings;
}

export function readGeneration(flags: Flags): GenerationFlags {
  const topP = flags.number('top-p', { min: 0, max: 1 }) ?? null;
  if (topP === 0) throw new UsageError('--top-p is "0", but must be above 0.');
  return {
    maxTokens: flags.integer('max-tokens', { min: 1 }) ?? 128,
    sampling: {
      temperature: flags.number('temperature', { min: 0, max: 10 }) ?? null,
      topK: flags.integer('top-k', { min: 0, max: 256 }) ?? null,
      topP,
      minP: flags.number('min-p', { min: 0, max: 0.999 }) ?? null,
    },
    seed: flags.integer('seed', { min: 0, max: 2 ** 32 - 1 }) ?? 0,
  };
}

/** What was given, else what the model's file says, else ours. Says on stderr what comes from the file. */
export function generationFor(
  file: Pick<GgufFile, 'metadata'>,
  { maxTokens, sampling, seed }: GenerationFlags,
  log: (line: string) => void,
): GenerationSettings {
  const { named, notes } = readSampling(file);
  for (const note of notes) log(note);
  const used = (key: SamplingKey) => (sampling[key] === null ? named[key] : null);
  const words = samplingWords({ temperature: used('temperature'), topK: used('topK'), topP: used('topP'), minP: used('minP') });
  if (words) log(`From the model: ${words}.`);
  return { maxTokens, sampling: { ...chooseSampling([sampling, named], CLI_SAMPLING), seed } };
}

/** Engine options from the common ones. */
export function engineOptions(common: CommonOptions, signal: AbortSignal, log: (line: string) => void) {
  let phase = '';
  return {
    adapter: common.adapter,
    contextTokens: common.contextTokens,
    expertsUsed: common.expertsUsed,
    approximateRouting: common.approximateRouting,
    kvType: common.kvType,
    gpuBudget: common.gpuBudget,
    ramBudget: common.ramBudget,
    dataFolder: common.dataFolder,
    signal,
    onProgress: (progress: { readonly phase: string }) => {
      if (progress.phase !== phase) log(`Loading ${progress.phase} …`);
      phase = progress.phase;
    },
    onReset: ({ code }: ConclaveError) => log(`The graphics device failed (${code}): loading the model again to go on …`),
  };
}

/** The label under which approximate answers are given out. */
export function approximateText(margin: number, agreement: number): string {
  const share = `${(100 * agreement).toFixed(1)} %`;
  return `Approximate routing, margin ${margin}: ${share} of the chosen experts are those of exact routing. The text may differ from the exact one.`;
}

export interface Generating {
  readonly engine: Engine;
  readonly session: Pick<EngineSession, 'generate'>;
  readonly tokenizer: Tokenizer;
  readonly loadMs: number;
  readonly device: { readonly capabilities: { readonly description: string; readonly software: boolean } };
}

/** Generates; `onText` hears the text as it comes. */
export async function generateText(
  { session, tokenizer }: Pick<Generating, 'session' | 'tokenizer'>,
  { ids: promptIds, opening }: EncodedPrompt,
  { maxTokens, sampling }: GenerationSettings,
  signal: AbortSignal,
  onText: (piece: string) => void = () => undefined,
) {
  const decoder = answerDecoder(tokenizer);
  const ids: number[] = [];
  let text = '';
  const emit = (piece: string) => {
    text += piece;
    onText(piece);
  };
  emit(opening);
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
  prompt: EncodedPrompt,
  settings: GenerationSettings,
  context: CliContext,
): Promise<void> {
  const { text, ids, result } = await generateText(opened, prompt, settings, context.signal, (piece) => context.write(piece));
  const { prefillMs, decodeMs, promptTokens, answerTokens } = result;
  const timings = {
    loadMs: opened.loadMs,
    prefillMs,
    decodeMs,
    prefillTokensPerSecond: perSecond(promptTokens, prefillMs),
    decodeTokensPerSecond: perSecond(answerTokens, decodeMs),
  };
  const { description, software } = opened.device.capabilities;
  const { approximateRouting = null } = context.common;
  const agreement = approximateRouting === null ? null : (routingAgreement(opened.engine.residency()) ?? 1);
  context.write('\n');
  if (approximateRouting !== null) context.log(approximateText(approximateRouting, agreement!));
  context.log(
    `${promptTokens} prompt tokens in ${Math.round(prefillMs)} ms, ${answerTokens} tokens in ${Math.round(decodeMs)} ms (${timings.decodeTokensPerSecond.toFixed(1)} per second), ended by ${result.reason}, on ${description}`,
  );
  context.result({
    text,
    ids,
    promptIds: Array.from(prompt.ids),
    reason: result.reason,
    sampling: settings.sampling,
    approximateRouting,
    routingAgreement: agreement,
    counters: opened.engine.counters(),
    memory: opened.engine.memory(),
    timings,
    adapter: { description, software },
  });
}

function perSecond(tokens: number, elapsedMs: number): number {
  return elapsedMs > 0 ? (tokens * 1000) / elapsedMs : 0;
}
