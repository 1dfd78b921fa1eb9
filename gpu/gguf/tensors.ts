/** Parses the tensor list and checks that each tensor lies whole, aligned and alone in the file. */
import { engineError } from '../errors.ts';
import type { Cursor } from './cursor.ts';
import { LIMITS } from './limits.ts';
import { ggmlTypeName, tensorSizeBytes, typeGeometry } from './tensor-types.ts';
import type { GgmlTypeName, GgufTensor } from './types.ts';

interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: GgmlTypeName;
  /** From the start of the tensor data. */
  readonly relativeOffset: number;
  readonly sizeBytes: number;
}

/** Reads `count` entries at the cursor, then places them behind the header. */
export function readTensors(cursor: Cursor, count: number, alignmentBytes: number, part: number): GgufTensor[] {
  const entries: TensorEntry[] = [];
  const names = new Set<string>();
  for (let i = 0; i < count; i++) {
    const entry = readEntry(cursor, i, alignmentBytes);
    if (names.has(entry.name)) throw tensorError(cursor, entry.name, 'is in the file twice');
    names.add(entry.name);
    entries.push(entry);
  }
  const dataBytes = Math.ceil(cursor.offsetBytes / alignmentBytes) * alignmentBytes;
  const tensors = entries.map(({ name, shape, type, relativeOffset, sizeBytes }) => ({
    name,
    shape,
    type,
    part,
    offsetBytes: dataBytes + relativeOffset,
    sizeBytes,
  }));
  checkPlaces(cursor, tensors);
  return tensors;
}

function readEntry(cursor: Cursor, index: number, alignmentBytes: number): TensorEntry {
  const at = cursor.offsetBytes;
  const name = cursor.string(`tensor ${index}, its name`, LIMITS.tensorNameBytes);
  if (name === '') throw cursor.fieldError(`tensor ${index}, its name`, at, 'is empty');
  const nDims = cursor.u32(`${name}, its dimensions`);
  if (nDims < 1 || nDims > LIMITS.dimensions) {
    throw tensorError(cursor, name, `has ${nDims} dimensions; 1 to ${LIMITS.dimensions} are allowed`);
  }
  const ne = Array.from({ length: nDims }, (_, d) => cursor.count(`${name}, dimension ${d}`, Number.MAX_SAFE_INTEGER));
  if (ne.includes(0)) throw tensorError(cursor, name, `has shape [${ne.join(', ')}]; every dimension must be at least 1`);
  const type = readType(cursor, name);
  const shape = ne.toReversed();
  const sizeBytes = tensorSizeBytes(type, shape);
  if (sizeBytes === undefined) {
    const { blockWeights } = typeGeometry(type);
    throw tensorError(
      cursor,
      name,
      ne[0] % blockWeights !== 0
        ? `has rows of ${ne[0]} weights; ${type} needs a multiple of ${blockWeights}`
        : `has shape [${shape.join(', ')}], more weights than can be counted`,
    );
  }
  const relativeOffset = cursor.count(`${name}, its offset`, Number.MAX_SAFE_INTEGER);
  if (relativeOffset % alignmentBytes !== 0) {
    throw tensorError(cursor, name, `starts at ${relativeOffset}, which is not a multiple of the alignment ${alignmentBytes}`);
  }
  return { name, shape, type, relativeOffset, sizeBytes };
}

function readType(cursor: Cursor, name: string): GgmlTypeName {
  const at = cursor.offsetBytes;
  const id = cursor.u32(`${name}, its type`);
  const type = ggmlTypeName(id);
  if (type === undefined) {
    throw engineError(
      'gguf.type',
      `${cursor.fileName}: tensor "${name}" has type ${id}, which is unknown here. It may be newer than this app, or the file is damaged.`,
      { tensor: name, offsetBytes: at, found: id },
    );
  }
  return type;
}

function checkPlaces(cursor: Cursor, tensors: readonly GgufTensor[]): void {
  const ordered = tensors.toSorted((a, b) => a.offsetBytes - b.offsetBytes);
  let previous: GgufTensor | undefined;
  for (const tensor of ordered) {
    const end = tensor.offsetBytes + tensor.sizeBytes;
    if (!(end <= cursor.fileBytes)) {
      throw engineError(
        'gguf.truncated',
        `${cursor.fileName} has ${cursor.fileBytes} bytes, but tensor "${tensor.name}" ends at byte ${end}. ` +
          'The download may be incomplete; get the file again.',
        { tensor: tensor.name, offsetBytes: tensor.offsetBytes, lengthBytes: tensor.sizeBytes, fileBytes: cursor.fileBytes },
      );
    }
    if (previous && tensor.offsetBytes < previous.offsetBytes + previous.sizeBytes) {
      throw tensorError(cursor, tensor.name, `overlaps tensor "${previous.name}" at byte ${tensor.offsetBytes}`);
    }
    previous = tensor;
  }
}

function tensorError(cursor: Cursor, tensor: string, problem: string) {
  return engineError('gguf.tensor', `${cursor.fileName}: tensor "${tensor}" ${problem}.`, {
    tensor,
    offsetBytes: cursor.offsetBytes,
  });
}
