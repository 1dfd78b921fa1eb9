import { describe, expect, it } from 'vitest';
import { ConclaveError } from '../errors.ts';
import { numberArray, stringArray } from './array.ts';
import { memorySource } from './memory-source.ts';
import { metadataNumber, metadataString, metadataStrings, optionalBoolean, optionalNumbers } from './metadata.ts';
import { openGguf } from './read.ts';
import { GgmlType, type ByteSource, type GgufArray } from './types.ts';
import {
  copyMetadata,
  f32Value,
  ggufBytes,
  stringsValue,
  stringValue,
  u32Value,
  writeGguf,
  type WritableTensor,
  type WritableValue,
} from './write.ts';

const tensor = (name: string, shape: number[], fill = 1): WritableTensor => ({
  name,
  shape,
  type: 'F32',
  data: new Uint8Array(shape.reduce((a, b) => a * b, 4)).fill(fill),
});

function sample(extra: Record<string, WritableValue> = {}, tensors = [tensor('a', [2, 8]), tensor('b', [16])]) {
  const metadata = new Map<string, WritableValue>([['general.architecture', stringValue('llama')], ...Object.entries(extra)]);
  return ggufBytes({ metadata, tensors });
}

const open = (bytes: Uint8Array, name = 'm.gguf') => openGguf(memorySource(name, bytes));

async function failure(bytes: Uint8Array): Promise<ConclaveError> {
  const error = await open(bytes).then(
    () => null,
    (caught: unknown) => caught,
  );
  expect(error).toBeInstanceOf(ConclaveError);
  return error as ConclaveError;
}

/** Overwrites the little-endian integer of `width` bytes that starts `skip` bytes after the first place where `text` stands. */
function patch(bytes: Uint8Array, text: string, skip: number, width: 4 | 8, value: bigint | number): Uint8Array {
  const at = Buffer.from(bytes).indexOf(text) + text.length + skip;
  const out = bytes.slice();
  const view = new DataView(out.buffer);
  if (width === 4) view.setUint32(at, Number(value), true);
  else view.setBigUint64(at, BigInt(value), true);
  return out;
}

describe('a sound file', () => {
  it('gives every value type back, with its type', async () => {
    const extra: Record<string, WritableValue> = {
      u8: { type: 'UINT8', value: 255 },
      i8: { type: 'INT8', value: -128 },
      u16: { type: 'UINT16', value: 65535 },
      i16: { type: 'INT16', value: -32768 },
      u32: { type: 'UINT32', value: 4294967295 },
      i32: { type: 'INT32', value: -2147483648 },
      f32: { type: 'FLOAT32', value: 0.5 },
      f64: { type: 'FLOAT64', value: 1 / 3 },
      yes: { type: 'BOOL', value: true },
      u64: { type: 'UINT64', value: 18446744073709551615n },
      small: { type: 'UINT64', value: 7 },
      i64: { type: 'INT64', value: -9223372036854775808n },
      text: stringValue('Grüße 𝄞'),
    };
    const file = await open(sample(extra));
    for (const [key, { type, value }] of Object.entries(extra)) {
      expect(file.metadata.get(key), key).toBe(value);
      expect(file.valueTypes.get(key), key).toBe(type);
    }
    expect(file.version).toBe(3);
  });

  it('gives arrays lazily typed, and strings as text and as raw bytes', async () => {
    const raw = Uint8Array.of(0xff, 0x41);
    const file = await open(
      sample({
        pad: { type: 'UINT8', value: 1 }, // leaves what follows unaligned
        floats: { type: 'ARRAY', value: numberArray('FLOAT32', [1.5, -2]) },
        words: stringsValue(['Ġhello', raw, '']),
      }),
    );
    expect([...(optionalNumbers(file, 'floats') as Float32Array)]).toEqual([1.5, -2]);
    const words = metadataStrings(file, 'words');
    expect(words.length).toBe(3);
    expect(words.strings()).toEqual(['Ġhello', '\ufffdA', '']);
    expect([...words.stringBytes(1)]).toEqual([0xff, 0x41]);
    expect(words.strings()).toBe(words.strings());
  });

  it('places tensors row-major, aligned, with their bytes', async () => {
    const source = memorySource('m.gguf', sample({}, [tensor('a', [3, 5], 7), tensor('b', [2, 2, 4], 9)]));
    const file = await openGguf(source);
    const b = file.tensors.get('b')!;
    expect(b.shape).toEqual([2, 2, 4]);
    expect(b.offsetBytes % 32).toBe(0);
    expect([...(await source.read(b.offsetBytes, b.sizeBytes))].every((byte) => byte === 9)).toBe(true);
    expect([...file.tensors.keys()]).toEqual(['a', 'b']);
  });

  it('reads version 2, another alignment, and headers larger than the first window', async () => {
    const v2 = sample();
    v2[4] = 2;
    expect((await open(v2)).version).toBe(2);
    expect((await open(sample({ 'general.alignment': u32Value(256) }))).tensors.get('b')!.offsetBytes % 256).toBe(0);
    const words = Array.from({ length: 200_000 }, (_, i) => `token ${i}`);
    const reads: number[] = [];
    const bytes = sample({ words: stringsValue(words) });
    const inner = memorySource('m.gguf', bytes);
    const source: ByteSource = {
      ...inner,
      read: (at, length) => (reads.push(length), inner.read(at, length)),
      readInto: (at, target) => (reads.push(target.length), inner.readInto(at, target)),
    };
    const file = await openGguf(source);
    expect((file.metadata.get('words') as GgufArray).strings()[199_999]).toBe('token 199999');
    expect(reads.reduce((a, b) => a + b)).toBe(bytes.length);
    expect(reads.length).toBeLessThanOrEqual(3);
  });

  it('copies byte for byte through the writer, streamed or in memory', async () => {
    const bytes = sample({ eps: f32Value(1e-5), words: stringsValue(['a', Uint8Array.of(0x80)]) });
    const file = await open(bytes);
    const chunks: Uint8Array[] = [];
    const tensors = [...file.tensors.values()].map((t) => ({
      ...t,
      *data() {
        for (let at = 0; at < t.sizeBytes; at += 10)
          yield bytes.slice(t.offsetBytes + at, t.offsetBytes + Math.min(at + 10, t.sizeBytes));
      },
    }));
    await writeGguf({ metadata: copyMetadata(file), tensors }, { write: async (chunk) => void chunks.push(chunk.slice()) });
    expect(Buffer.compare(Buffer.concat(chunks), bytes)).toBe(0);
  });
});

describe('hostile files', () => {
  const good = sample({ list: { type: 'ARRAY', value: stringArray(['one', 'two']) } });

  it('names the magic, the version and byte order', async () => {
    const notGguf = await failure(new TextEncoder().encode('<!doctype html>'));
    expect(notGguf.code).toBe('gguf.not-gguf');
    expect((await failure(new Uint8Array(0))).code).toBe('gguf.not-gguf');
    const v1 = good.slice();
    v1[4] = 1;
    expect((await failure(v1)).code).toBe('gguf.version');
    const big = good.slice();
    big.set([0, 0, 0, 3], 4);
    const error = await failure(big);
    expect(error.code).toBe('gguf.version');
    expect(error.message).toMatch(/big-endian/);
  });

  it('every truncation is refused as such', async () => {
    const small = sample();
    const file = await open(small);
    const end = Math.max(...[...file.tensors.values()].map((t) => t.offsetBytes + t.sizeBytes));
    for (let length = 4; length < end; length += 3) {
      expect((await failure(small.slice(0, length))).code, `cut at ${length}`).toMatch(/^gguf\.(truncated|field)$/);
    }
  });

  it.each<[string, Uint8Array, string, string | undefined]>([
    ['a tensor count beyond the limit', patchAt(good, 8, 2n ** 63n), 'gguf.field', 'tensor count'],
    ['a tensor count beyond the file', patchAt(good, 8, 100_000n), 'gguf.field', 'tensor count'],
    ['a metadata count beyond the file', patchAt(good, 16, 60_000n), 'gguf.field', 'metadata count'],
    [
      'a string length beyond the limit',
      patch(good, 'general.architecture', 4, 8, 2n ** 60n),
      'gguf.field',
      'general.architecture, its length',
    ],
    [
      'a string length beyond the file',
      patch(good, 'general.architecture', 4, 8, 1_000_000n),
      'gguf.truncated',
      'general.architecture',
    ],
    ['an array length beyond the limit', patch(good, 'list', 8, 8, 2n ** 40n), 'gguf.field', 'list, its length'],
    ['an array length beyond the file', patch(good, 'list', 8, 8, 1_000_000n), 'gguf.field', 'list, its length'],
    ['an unknown value type', patch(good, 'list', 0, 4, 13), 'gguf.type', 'list'],
    ['nested arrays', patch(good, 'list', 4, 4, 9), 'gguf.field', 'list'],
    ['a duplicate key', sample({ 'x.y': u32Value(1), 'x.z': u32Value(1) }).map(swapByte('x.z', 'x.y')), 'gguf.field', 'x.y'],
    [
      'an alignment that is no power of two',
      patch(sample({ 'general.alignment': u32Value(32) }), 'general.alignment', 4, 4, 48),
      'gguf.field',
      'general.alignment',
    ],
    [
      'an alignment of zero',
      patch(sample({ 'general.alignment': u32Value(32) }), 'general.alignment', 4, 4, 0),
      'gguf.field',
      'general.alignment',
    ],
    ['a truth value of 2', sample({ flag: { type: 'UINT8', value: 2 } }).map(setType('flag', 7)), 'gguf.field', 'flag'],
  ])('%s', async (_title, bytes, code, field) => {
    const error = await failure(bytes);
    expect(error.code).toBe(code);
    expect(error.details.field).toBe(field);
    expect(error.message).toContain('m.gguf');
  });

  const tensorField = (skip: number, width: 4 | 8, value: bigint | number) =>
    patch(sample({}, [tensor('weights.a', [2, 8]), tensor('weights.b', [16])]), 'weights.b', skip, width, value);
  it.each<[string, Uint8Array, string]>([
    ['no dimensions', tensorField(0, 4, 0), 'gguf.tensor'],
    ['five dimensions', tensorField(0, 4, 5), 'gguf.tensor'],
    ['a dimension of zero', tensorField(4, 8, 0), 'gguf.tensor'],
    ['a dimension of 2^63', tensorField(4, 8, 2n ** 63n), 'gguf.field'],
    ['more weights than can be counted', tensorField(4, 8, 2n ** 52n), 'gguf.tensor'],
    ['rows that are not whole blocks', tensorField(12, 4, GgmlType.Q4_K), 'gguf.tensor'],
    ['an unknown type', tensorField(12, 4, 4), 'gguf.type'],
    ['an unaligned place', tensorField(16, 8, 40), 'gguf.tensor'],
    ['a place behind the end', tensorField(16, 8, 6400), 'gguf.truncated'],
    ['an overlap', tensorField(16, 8, 32), 'gguf.tensor'],
    ['a duplicate name', sample({}, [tensor('w.a', [8]), tensor('w.b', [8])]).map(swapByte('w.b', 'w.a')), 'gguf.tensor'],
  ])('a tensor with %s', async (_title, bytes, code) => {
    const error = await failure(bytes);
    expect(error.code).toBe(code);
  });

  it('refuses keys and texts that are not UTF-8', async () => {
    const key = good.slice();
    key[Buffer.from(good).indexOf('general.arch')] = 0xff;
    expect((await failure(key)).code).toBe('gguf.utf8');
    const value = good.slice();
    value[Buffer.from(good).indexOf('llama')] = 0xc0;
    expect(await failure(value)).toMatchObject({ code: 'gguf.utf8', details: { field: 'general.architecture' } });
  });

  function patchAt(bytes: Uint8Array, at: number, value: bigint): Uint8Array {
    const out = bytes.slice();
    new DataView(out.buffer).setBigUint64(at, value, true);
    return out;
  }
  /** For `.map`: writes `to` over the first `from`. */
  function swapByte(from: string, to: string) {
    let place = -1;
    return (byte: number, i: number, all: Uint8Array) => {
      if (i === 0) place = Buffer.from(all).indexOf(from);
      return i >= place && i < place + to.length ? to.charCodeAt(i - place) : byte;
    };
  }
  function setType(key: string, type: number) {
    let place = -1;
    return (byte: number, i: number, all: Uint8Array) => {
      if (i === 0) place = Buffer.from(all).indexOf(key) + key.length;
      return i === place ? type : byte;
    };
  }
});

describe('split files', () => {
  const u16 = (value: number): WritableValue => ({ type: 'UINT16', value });
  const i32 = (value: number): WritableValue => ({ type: 'INT32', value });
  const part = (no: number, count: number, tensors: WritableTensor[], total = 3) =>
    ggufBytes({
      metadata: new Map([
        ...(no === 0 ? [['general.architecture', stringValue('llama')] as const] : []),
        ['split.no', u16(no)],
        ['split.count', u16(count)],
        ['split.tensors.count', i32(total)],
      ]),
      tensors,
    });
  const name = (n: number) => `dir/model-0000${n}-of-00003.gguf`;
  const parts = [part(0, 3, [tensor('a', [8])]), part(1, 3, [tensor('b', [8])]), part(2, 3, [tensor('c', [8])])];
  const openPart = async (wanted: string) => {
    const n = [1, 2, 3].find((i) => name(i) === wanted);
    if (n === undefined) throw new Error(`no ${wanted}`);
    return memorySource(wanted, parts[n - 1]);
  };

  it('opens from any part', async () => {
    for (const n of [1, 2, 3]) {
      const file = await openGguf(memorySource(name(n), parts[n - 1]), { openPart });
      expect([...file.tensors.values()].map((t) => [t.name, t.part])).toEqual([
        ['a', 0],
        ['b', 1],
        ['c', 2],
      ]);
      expect(file.sources.map((s) => s.name)).toEqual([1, 2, 3].map(name));
      expect(metadataString(file, 'general.architecture')).toBe('llama');
    }
  });

  it('takes all parts in any order', async () => {
    const file = await openGguf([2, 0, 1].map((i) => memorySource(`part ${i}`, parts[i])));
    expect(file.sources.map((s) => s.name)).toEqual(['part 0', 'part 1', 'part 2']);
  });

  it.each<[string, () => Promise<unknown>]>([
    [
      'a missing part',
      () => openGguf(memorySource(name(1), parts[0]), { openPart: async () => Promise.reject(new Error('gone')) }),
    ],
    ['no way to open parts', () => openGguf(memorySource(name(1), parts[0]))],
    ['a name that is not a part name', () => openGguf(memorySource('model.gguf', parts[0]), { openPart })],
    ['the same part twice', () => openGguf([0, 1, 1].map((i) => memorySource(`p${i}`, parts[i])))],
    ['too few parts', () => openGguf([0, 1].map((i) => memorySource(`p${i}`, parts[i])))],
    ['a part of another model', () => openGguf([parts[0], parts[1], part(1, 2, [])].map((b, i) => memorySource(`p${i}`, b)))],
    [
      'a tensor in two parts',
      () => openGguf([parts[0], parts[1], part(2, 3, [tensor('a', [8])])].map((b, i) => memorySource(`p${i}`, b))),
    ],
    ['another number of tensors', () => openGguf([part(0, 2, []), part(1, 2, [])].map((b, i) => memorySource(`p${i}`, b)))],
  ])('refuses %s', async (_title, run) => {
    await expect(run()).rejects.toMatchObject({ code: 'gguf.split' });
  });
});

describe('typed access', () => {
  it('names key, found and allowed', async () => {
    const file = await open(
      sample({ 'llama.block_count': u32Value(4), eps: f32Value(0.5), flag: { type: 'BOOL', value: false } }),
    );
    expect(metadataNumber(file, 'llama.block_count', { min: 1, max: 512, integer: true })).toBe(4);
    expect(optionalBoolean(file, 'flag')).toBe(false);
    expect(() => metadataNumber(file, 'llama.block_count', { max: 3 })).toThrow(
      /"llama.block_count" is 4; a number up to 3 is needed/,
    );
    expect(() => metadataNumber(file, 'eps', { integer: true })).toThrow(/whole number/);
    expect(() => metadataString(file, 'missing')).toThrow(/lacks "missing"/);
    expect(() => metadataNumber(file, 'general.architecture')).toThrow(ConclaveError);
  });
});
