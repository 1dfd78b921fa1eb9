/**
 * Opens a GGUF model, whole or split (`-00001-of-00003.gguf`). Reads headers only; weights are read by whoever needs them,
 * through `sources[tensor.part]`. Files are hostile until checked: every length is held against the file before it is used.
 */
import { engineError, type ErrorDetails } from '../errors.ts';
import { invariant } from '../invariant.ts';
import { LIMITS } from './limits.ts';
import { readPart, type GgufPart } from './read-part.ts';
import type { ByteSource, GgufFile, GgufTensor } from './types.ts';

export interface OpenGgufOptions {
  /** Opens a sibling of the given file by its name (the source's name with the part number replaced). */
  readonly openPart?: (name: string) => Promise<ByteSource>;
  readonly signal?: AbortSignal;
}

const PART_NAME = /-(\d{5})-of-(\d{5})\.gguf$/i;

/**
 * `input` is the file, any one part of a split file (the others come from `openPart`), or all parts in any order.
 * Rejects with gguf.* when the file is not usable, file.* when it cannot be read.
 */
export async function openGguf(input: ByteSource | readonly ByteSource[], options: OpenGgufOptions = {}): Promise<GgufFile> {
  const given = Array.isArray(input) ? (input as readonly ByteSource[]) : [input as ByteSource];
  invariant(given.length > 0, 'openGguf needs a file');
  const first = await readPart(given[0], 0, options.signal);
  const split = splitOf(given[0], first);
  if (split.count === 1 && given.length === 1) return assemble(given, [first]);
  const sources = given.length > 1 ? given : await openAll(given[0], split, options);
  const parts = await readAll(sources, split.count, options.signal);
  return assemble(
    parts.map((part) => part.source),
    parts.map((part) => part.part),
  );
}

interface Split {
  readonly index: number;
  readonly count: number;
}

/** Part number (from 0) and number of parts; a file that is not split is part 0 of 1. */
function splitOf(source: ByteSource, part: GgufPart): Split {
  const count = part.metadata.values.get('split.count') ?? 1;
  const index = part.metadata.values.get('split.no') ?? 0;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0 || count > LIMITS.parts) {
    throw splitError(`${source.name}: "split.count" is ${String(count)}; 1 to ${LIMITS.parts} are allowed.`, {
      field: 'split.count',
    });
  }
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || index >= Math.max(count, 1)) {
    throw splitError(`${source.name}: "split.no" is ${String(index)} in a file of ${count} parts.`, { field: 'split.no' });
  }
  return { index, count: Math.max(count, 1) };
}

async function openAll(source: ByteSource, split: Split, { openPart }: OpenGgufOptions): Promise<ByteSource[]> {
  const match = PART_NAME.exec(source.name);
  const digits = (n: number) => String(n).padStart(5, '0');
  if (!match || Number(match[1]) !== split.index + 1 || Number(match[2]) !== split.count) {
    const ending = `-${digits(split.index + 1)}-of-${digits(split.count)}.gguf`;
    throw splitError(`${source.name} is part ${split.index + 1} of ${split.count}; its name must end in ${ending}.`, {
      field: 'split.count',
    });
  }
  const sources: ByteSource[] = [];
  for (let i = 0; i < split.count; i++) {
    if (i === split.index) {
      sources.push(source);
      continue;
    }
    const name = source.name.replace(PART_NAME, `-${digits(i + 1)}-of-${match[2]}.gguf`);
    if (!openPart) throw splitError(`${source.name} is one of ${split.count} parts; ${name} is needed too.`, { missing: name });
    try {
      sources.push(await openPart(name));
    } catch (cause) {
      throw splitError(
        `Part ${i + 1} of ${split.count}, ${name}, cannot be opened. All parts must lie in one folder.`,
        { missing: name },
        cause,
      );
    }
  }
  return sources;
}

/** Reads every header again in part order: a source's part number is known only from its header. */
async function readAll(sources: readonly ByteSource[], count: number, signal?: AbortSignal) {
  if (sources.length !== count) {
    throw splitError(`${sources.length} files were given for a model of ${count} parts.`, {
      found: sources.length,
      expected: count,
    });
  }
  const ordered: ({ source: ByteSource; part: GgufPart } | undefined)[] = new Array(count).fill(undefined);
  for (const [position, source] of sources.entries()) {
    const guess = await readPart(source, position, signal);
    const split = splitOf(source, guess);
    if (split.count !== count) {
      throw splitError(`${source.name} belongs to a model of ${split.count} parts, the others to one of ${count}.`, {
        field: 'split.count',
      });
    }
    const other = ordered[split.index];
    if (other)
      throw splitError(`${source.name} and ${other.source.name} are both part ${split.index + 1}.`, { field: 'split.no' });
    const tensors = guess.tensors.map((tensor) => ({ ...tensor, part: split.index }));
    ordered[split.index] = { source, part: { ...guess, tensors } };
  }
  return ordered.filter((entry) => entry !== undefined); // count parts with distinct numbers below count: none is missing
}

/** Metadata are those of part 0; later parts repeat only `split.*`. */
function assemble(sources: readonly ByteSource[], parts: readonly GgufPart[]): GgufFile {
  const tensors = new Map<string, GgufTensor>();
  for (const [i, part] of parts.entries()) {
    for (const tensor of part.tensors) {
      if (tensors.has(tensor.name)) {
        throw splitError(`${sources[i].name}: tensor "${tensor.name}" is in an earlier part too.`, { tensor: tensor.name });
      }
      tensors.set(tensor.name, tensor);
    }
  }
  const declared = parts[0].metadata.values.get('split.tensors.count');
  if (parts.length > 1 && typeof declared === 'number' && declared !== tensors.size) {
    throw splitError(`${sources[0].name}: "split.tensors.count" is ${declared}, the parts hold ${tensors.size} tensors.`, {
      field: 'split.tensors.count',
    });
  }
  return {
    version: parts[0].version,
    sources,
    metadata: parts[0].metadata.values,
    valueTypes: parts[0].metadata.types,
    tensors,
    sizeBytes: sources.reduce((sum, source) => sum + source.sizeBytes, 0),
  };
}

function splitError(message: string, details: ErrorDetails, cause?: unknown) {
  return engineError('gguf.split', message, details, cause);
}
