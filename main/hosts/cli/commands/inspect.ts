/** `inspect MODEL`: what is in the file and whether the engine runs it. */
import { readModel } from '../../../../gpu/architectures/read-model.ts';
import type { GgufFile } from '../../../../gpu/gguf/types.ts';
import { isConclaveError } from '../../../../gpu/errors.ts';
import { toWireError, type WireError } from '../../../contract/errors.ts';
import { describeModel, type ModelDescription } from '../../../library/describe-model.ts';
import { openModelFile } from '../../../library/model-file.ts';
import type { CliCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

export const command: CliCommand = {
  name: 'inspect',
  usage: 'MODEL [--json]',
  summary:
    'Says what is in a GGUF file: architecture, sizes, experts, tensor types, tokenizer; exit code 3 when the engine cannot run it.',
  options: {},
  positionals: [1, 1],
  async run({ positionals, signal, result }) {
    const model = await openModelFile(positionals[0], signal);
    try {
      const description = describeModel(model.file);
      const problem = findProblem(model.file);
      result({ ...description, problem }, asText(description) + (problem ? `\n\nIt does not run: ${problem.message}` : ''));
      return problem ? EXIT.file : EXIT.done;
    } finally {
      await model.close();
    }
  },
};

/** Why the engine refuses the model; null when it runs it. */
function findProblem(file: GgufFile): WireError | null {
  try {
    readModel(file);
    return null;
  } catch (error) {
    if (!isConclaveError(error)) throw error;
    return toWireError(error);
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
    ...model.types.map((row): [string, string] => [`Type ${row.type}`, `${bytes(row.bytes)} in ${row.tensors} tensors`]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length)) + 2;
  return rows.map(([label, text]) => label.padEnd(width) + text).join('\n');
}

function expertRows({ dimensions: d }: ModelDescription, experts: NonNullable<ModelDescription['experts']>): [string, string][] {
  const shared = d.sharedExpertWidth ? `, and a shared one of width ${d.sharedExpertWidth}` : '';
  return [
    ['Experts', `${experts.count} per layer, ${experts.used} used, width ${d.expertWidth ?? known(d.feedForwardWidth)}${shared}`],
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
