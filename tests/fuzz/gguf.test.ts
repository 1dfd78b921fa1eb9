/** Random damage to a GGUF file: each variant must parse or be refused with a gguf.* code, quickly and without large allocations. */
import { expect, it } from 'vitest';
import { ConclaveError } from '../../gpu/errors.ts';
import { memorySource } from '../../gpu/gguf/memory-source.ts';
import { openGguf } from '../../gpu/gguf/read.ts';
import { ggufBytes, f32sValue, stringsValue, stringValue, u32Value, type WritableValue } from '../../gpu/gguf/write.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 20_240_229) >>> 0;
const MUTATIONS = Number(process.env.FUZZ_MUTATIONS ?? 600);

function randoms(seed: number): (below: number) => number {
  let state = seed || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function original(): Uint8Array {
  const metadata = new Map<string, WritableValue>([
    ['general.architecture', stringValue('llama')],
    ['general.alignment', u32Value(32)],
    ['llama.block_count', u32Value(2)],
    ['flag', { type: 'BOOL', value: true }],
    ['big', { type: 'UINT64', value: 2n ** 60n }],
    ['tokenizer.ggml.tokens', stringsValue(Array.from({ length: 40 }, (_, i) => `t${i}`))],
    ['tokenizer.ggml.scores', f32sValue(new Float32Array(40))],
  ]);
  const tensors = Array.from({ length: 12 }, (_, i) => ({
    name: `blk.${i}.weight`,
    shape: [4, 32],
    type: i % 2 ? ('Q4_0' as const) : ('F32' as const),
    data: new Uint8Array(i % 2 ? 4 * 18 : 4 * 32 * 4),
  }));
  return ggufBytes({ metadata, tensors });
}

/** One to four of: a flipped byte, an interesting integer, a copied range, a cut, an inserted byte. */
function mutate(bytes: Uint8Array, headerBytes: number, below: (n: number) => number): Uint8Array {
  let out = bytes.slice();
  const interesting = [0n, 1n, 0xffn, 0x7fffffffn, 0xffffffffn, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
  for (let n = 1 + below(4); n > 0; n--) {
    const at = below(Math.min(headerBytes, out.length));
    const kind = below(5);
    if (kind === 0) out[at] = below(256);
    else if (kind === 1 && at + 8 <= out.length)
      new DataView(out.buffer).setBigUint64(at, interesting[below(interesting.length)], true);
    else if (kind === 2) out.copyWithin(at, below(out.length), below(out.length) + 16);
    else if (kind === 3 && below(4) === 0) out = out.slice(0, Math.max(1, below(out.length)));
    else if (kind === 4) out = Uint8Array.from([...out.subarray(0, at), below(256), ...out.subarray(at)]);
  }
  return out;
}

it(`survives ${MUTATIONS} damaged files (seed ${SEED})`, async () => {
  console.info(`gguf fuzz: seed ${SEED}, ${MUTATIONS} mutations; FUZZ_SEED and FUZZ_MUTATIONS change them`);
  const bytes = original();
  const file = await openGguf(memorySource('good.gguf', bytes));
  const headerBytes = Math.min(...[...file.tensors.values()].map((tensor) => tensor.offsetBytes));
  const below = randoms(SEED);
  const seen = new Map<string, number>();
  const heapBefore = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < MUTATIONS; i++) {
    const damaged = mutate(bytes, headerBytes, below);
    const startedMs = performance.now();
    let outcome = 'parsed';
    try {
      const parsed = await openGguf(memorySource('damaged.gguf', damaged));
      for (const tensor of parsed.tensors.values())
        expect(tensor.offsetBytes + tensor.sizeBytes).toBeLessThanOrEqual(damaged.length);
      for (const value of parsed.metadata.values())
        if (typeof value === 'object' && value.elementType === 'STRING') value.strings();
    } catch (error) {
      if (!(error instanceof ConclaveError)) throw new Error(`mutation ${i} of seed ${SEED} escaped`, { cause: error });
      outcome = error.code;
    }
    expect(outcome, `mutation ${i} of seed ${SEED}`).toMatch(/^(parsed|gguf\..*)$/);
    expect(performance.now() - startedMs, `mutation ${i} of seed ${SEED} was slow`).toBeLessThan(2000);
    seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
  }
  // Typed arrays made while parsing are bounded by the (few KiB) file; 64 MiB leaves room for what the collector has not taken yet.
  expect(process.memoryUsage().arrayBuffers - heapBefore).toBeLessThan(64 * 1024 * 1024);
  // The mutator must reach the checks: many different refusals, and some files that survive.
  expect([...seen.keys()].length, JSON.stringify([...seen])).toBeGreaterThanOrEqual(6);
  expect(seen.get('parsed') ?? 0).toBeGreaterThan(0);
});
