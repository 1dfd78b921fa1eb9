import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openFileSource, type FileSource } from './file-source.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'conclave ünïcode '));
const file = path.join(folder, 'modèle 模型.gguf');
let source: FileSource | undefined;

afterEach(async () => {
  await source?.close();
  source = undefined;
  rmSync(file, { force: true });
});

async function opened(bytes: number[]): Promise<FileSource> {
  writeFileSync(file, new Uint8Array(bytes));
  return (source = await openFileSource(file));
}

test('reads exactly the bytes of a range, also into given memory', async () => {
  const subject = await opened([10, 11, 12, 13, 14, 15]);
  expect(subject.sizeBytes).toBe(6);
  expect(subject.name).toBe('modèle 模型.gguf');
  expect([...(await subject.read(2, 3))]).toEqual([12, 13, 14]);
  expect([...(await subject.read(6, 0))]).toEqual([]);
  const memory = new Uint8Array(6).fill(99);
  await subject.readInto(4, memory.subarray(1, 3));
  expect([...memory]).toEqual([99, 14, 15, 99, 99, 99]);
});

test('reads in place what is there, and says where it is not', async () => {
  const subject = await opened([10, 11, 12, 13]);
  const memory = new Uint8Array(4).fill(99);
  expect(subject.readNow(1, memory.subarray(1, 3))).toBe(true);
  expect([...memory]).toEqual([99, 11, 12, 99]);
  expect(subject.readNow(3, memory.subarray(0, 2))).toBe(false);
  expect(subject.readNow(-1, memory.subarray(0, 1))).toBe(false);
  truncateSync(file, 2);
  expect(subject.readNow(2, memory.subarray(0, 1))).toBe(false);
});

test('refuses ranges outside the file before reading', async () => {
  const subject = await opened([1, 2, 3]);
  for (const [offset, length] of [
    [2, 2],
    [-1, 1],
    [0, 4],
    [1.5, 1],
  ])
    await expect(subject.read(offset, length)).rejects.toMatchObject({ code: 'file.read' });
});

test('a file cut short while open is file.changed', async () => {
  const subject = await opened([1, 2, 3, 4, 5, 6, 7, 8]);
  truncateSync(file, 4);
  await expect(subject.read(0, 8)).rejects.toMatchObject({ code: 'file.changed', details: { sizeBytes: 4, expectedBytes: 8 } });
});

test('verify sees a file that grew', async () => {
  const subject = await opened([1, 2]);
  await subject.verify();
  appendFileSync(file, 'x');
  await expect(subject.verify()).rejects.toMatchObject({ code: 'file.changed' });
});

test('missing files and folders are named', async () => {
  await expect(openFileSource(path.join(folder, 'no'))).rejects.toMatchObject({
    code: 'file.read',
    message: expect.stringContaining('there is no such file'),
  });
  await expect(openFileSource(folder)).rejects.toMatchObject({ code: 'file.read' });
});

test('an aborted read ends with the reason', async () => {
  const subject = await opened([1, 2, 3]);
  const controller = new AbortController();
  controller.abort(new Error('stop'));
  await expect(subject.read(0, 2, controller.signal)).rejects.toThrow('stop');
});
