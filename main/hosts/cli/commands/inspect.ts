/** `inspect MODEL`: what is in the file, whether the engine runs it, and where its parts would live on this machine. */
import { readModel } from '../../../../gpu/architectures/read-model.ts';
import type { ModelSpec } from '../../../../gpu/architectures/types.ts';
import type { GgufFile } from '../../../../gpu/gguf/types.ts';
import { isConclaveError } from '../../../../gpu/errors.ts';
import { toWireError, type WireError } from '../../../contract/errors.ts';
import { samplingWords } from '../../../contract/sampling.ts';
import { describeModel, type ModelDescription } from '../../../library/describe-model.ts';
import { openModelFile } from '../../../library/model-file.ts';
import type { CliCommand } from '../command.ts';
import { EXIT, exitCodeOf } from '../exit-codes.ts';
import { planText } from '../plan-text.ts';

export const command: CliCommand = {
  name: 'inspect',
  usage: 'MODEL [--gpu-budget SIZE --ram-budget SIZE --context N --kv-type T --json]',
  summary:
    'Says what is in a GGUF file and where its parts would live on this machine; exit code 3 when the engine cannot run it, 5 when it does not fit.',
  options: {},
  positionals: [1, 1],
  async run({ positionals, common, signal, log, result }) {
    const opened = await openModelFile(positionals[0], signal);
    try {
      const description = describeModel(opened.file);
      const { model, problem } = readable(opened.file);
      const planned = model ? await attempt(async () => (await import('../../node/plan.ts')).planFor(model, common, log)) : null;
      const refusal = problem ?? planned?.problem ?? null;
      const texts = [
        asText(description),
        planned?.value ? planText(planned.value) : '',
        refusal ? `It does not run: ${refusal.message}` : '',
      ];
      result({ ...description, plan: planned?.value ?? null, problem: refusal }, texts.filter(Boolean).join('\n\n'));
      if (problem) return EXIT.file;
      return planned?.error ? exitCodeOf(planned.error) : EXIT.done;
    } finally {
      await opened.close();
    }
  },
};

/** The model, or why the engine refuses it. */
function readable(file: GgufFile): { model: ModelSpec | null; problem: WireError | null } {
  try {
    return { model: readModel(file), problem: null };
  } catch (error) {
    if (!isConclaveError(error)) throw error;
    return { model: null, problem: toWireError(error) };
  }
}

/** What `work` gives, or the typed error with which it refuses. */
async function attempt<T>(work: () => Promise<T>): Promise<{ value?: T; error?: unknown; problem: WireError | null }> {
  try {
    return { value: await work(), problem: null };
  } catch (error) {
    if (!isConclaveError(error)) throw error;
    return { error, problem: toWireError(error) };
  }
}

function asText(model: ModelDescription): string {
  const { dimensions: d, experts, parameters } = model;
  const rows: [string, string][] = [
    ['Name', model.name],
    [
      'Architecture',
      `${model.architecture} (GGUF version ${model.ggufVersion}${model.parts > 1 ? `, ${model.parts} parts` : ''})`,
    ],
    ['Size', `${bytes(model.sizeBytes)} in ${model.nTensors} tensors`],
    [
      'Parameters',
      parameters.active === parameters.total
        ? count(parameters.total)
        : `${count(parameters.total)}, ${count(parameters.active)} active per token`,
    ],
    ['Layers', `${known(d.layers)} of width ${known(d.modelWidth)}`],
    ['Attention', `${known(d.heads)} heads of ${known(d.headWidth)}, ${known(d.kvHeads)} key/value heads`],
    ['Feed forward', `width ${known(d.feedForwardWidth)}`],
    ...(experts ? expertRows(model, experts) : []),
    ['Context', `${known(d.trainedContextTokens)} tokens in training`],
    [
      'Tokenizer',
      `${model.tokenizer.model ?? 'none'} (${model.tokenizer.preTokenizer ?? 'no pre-tokenizer named'}), ${model.tokenizer.tokens} tokens`,
    ],
    ['Chat template', model.templateSource === 'file' ? "the file's own" : 'none in the file: the general one is used'],
    ['Sampling', samplingWords(model.sampling.named) || 'the file says nothing of it'],
    ...model.sampling.notes.map((note): [string, string] => ['Note', note]),
    ...model.types.map((row): [string, string] => [`Type ${row.type}`, `${bytes(row.bytes)} in ${row.tensors} tensors`]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.map(([label, text]) => label.padEnd(width) + text).join('\n');
}

function expertRows({ dimensions: d }: ModelDescription, experts: NonNullable<ModelDescription['experts']>): [string, string][] {
  const shared = d.sharedExpertWidth ? `, and a shared one of width ${d.sharedExpertWidth}` : '';
  const groups = experts.groups ? `, from ${experts.groups.used} of ${experts.groups.count} groups` : '';
  const width = d.expertWidth ?? known(d.feedForwardWidth);
  return [
    ['Experts', `${experts.count} per layer, ${experts.used} used${groups}, width ${width}${shared}`],
    ['Expert bytes', `${bytes(experts.bytes)}, ${bytes(experts.bytesPerExpert)} each`],
  ];
}

const known = (value: number | null) => (value === null ? 'unknown' : String(value));

function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(units.length, Math.floor(Math.log2(value) / 10));
  return `${(value / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}

function count(value: number): string {
  if (value >= 1e9) return `${(value / 1e9).toFixed(2)} billion`;
  if (value >= 1e6) return `${(value / 1e6).toFixed(1)} million`;
  return String(value);
}
