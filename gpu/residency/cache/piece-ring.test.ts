/** Runs of a file come whole through pieces of memory, in place while that is fast and by threads where it is not. */
import { expect, test } from 'vitest';
import type { ByteSource } from '../../gguf/types.ts';
import { PieceRing } from './piece-ring.ts';

const PIECE_BYTES = 2 ** 20;
const UNIT_BYTES = 34;

/** Byte i is i's hash; counts how it is read. `msInPlace` is what a read in place takes, in the time of `nowMs`. */
function testSource(msInPlace: number | null, failsFrom = Infinity) {
  const calls = { now: 0, threads: 0, inFlight: 0, mostInFlight: 0, failed: 0 };
  let elapsedMs = 0;
  const fill = (offsetBytes: number, target: Uint8Array) => {
    for (let i = 0; i < target.length; i++) target[i] = Math.imul(offsetBytes + i, 2654435761) >>> 24;
  };
  const source: ByteSource = {
    name: 'test',
    sizeBytes: 2 ** 40,
    read: () => Promise.reject(new Error('not used')),
    async readInto(offsetBytes, target) {
      calls.threads++;
      calls.mostInFlight = Math.max(calls.mostInFlight, ++calls.inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      calls.inFlight--;
      if (offsetBytes + target.length > failsFrom) throw new Error(`failed ${++calls.failed}`);
      fill(offsetBytes, target);
    },
  };
  if (msInPlace !== null)
    source.readNow = (offsetBytes, target) => {
      elapsedMs += msInPlace;
      calls.now++;
      if (offsetBytes + target.length > failsFrom) return false;
      fill(offsetBytes, target);
      return true;
    };
  const ring = new PieceRing(
    [0, 1, 2].map(() => new Uint8Array(PIECE_BYTES)),
    () => elapsedMs,
  );
  const read = async (offsetBytes: number, nUnits: number) => {
    const lengthBytes = nUnits * UNIT_BYTES;
    const got = new Uint8Array(lengthBytes);
    let gotBytes = 0;
    await ring.read({ source, offsetBytes, lengthBytes, unitBytes: UNIT_BYTES }, (bytes, fromByte) => {
      expect([fromByte % UNIT_BYTES, bytes.length % UNIT_BYTES]).toEqual([0, 0]);
      got.set(bytes, fromByte);
      gotBytes += bytes.length;
    });
    const wanted = new Uint8Array(lengthBytes);
    fill(offsetBytes, wanted);
    expect(gotBytes).toBe(lengthBytes);
    expect(Buffer.compare(got, wanted)).toBe(0);
  };
  return { source, calls, ring, read };
}

const MANY_UNITS = 180_000; // 5.8 MiB

test('a source that cannot read in place: several runs at once, never more reads than pieces', async () => {
  const { calls, read } = testSource(null);
  await Promise.all([read(5, MANY_UNITS), read(7_000_001, MANY_UNITS), read(3, 1)]);
  expect(calls).toMatchObject({ threads: 13, mostInFlight: 3 });
});

test('bytes in memory are read in place', async () => {
  const { calls, read } = testSource(0.05);
  await read(5, MANY_UNITS);
  expect(calls).toMatchObject({ threads: 0, now: 24 });
});

test('bytes of a disk are read by threads after two reads in place; it is tried again 16 MiB later', async () => {
  const { calls, read } = testSource(2);
  await read(0, MANY_UNITS);
  expect(calls.now).toBe(2);
  await read(0, 2 * MANY_UNITS);
  expect(calls.now).toBe(2);
  await read(0, MANY_UNITS);
  expect(calls).toMatchObject({ now: 3, mostInFlight: 3 });
});

test('what fails is told when no read is in flight, and nothing is told after it', async () => {
  for (const msInPlace of [null, 0.05]) {
    const { source, calls, ring } = testSource(msInPlace, 3 * PIECE_BYTES);
    let isOver = false;
    const run = { source, offsetBytes: 0, lengthBytes: MANY_UNITS * UNIT_BYTES, unitBytes: UNIT_BYTES };
    const reading = ring.read(run, () => expect(isOver).toBe(false));
    await expect(reading).rejects.toThrow('failed 1');
    isOver = true;
    expect(calls.inFlight).toBe(0);
    // All pieces are free again.
    await ring.read({ ...run, lengthBytes: 2 * 2 ** 10 * UNIT_BYTES }, () => undefined);
  }
});
