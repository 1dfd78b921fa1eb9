/**
 * `node main/hosts/launcher/with-node.mjs tests/starter/beside-pytorch.ts FOLDER`: the engine's logits of FOLDER/starter.gguf (F32) against PyTorch's in
 * logits.f32 for tokens.json (resources/starter/smoke.py and logits.py write them), through both kernel sets. NMSE at most 1e-6. Keys and values
 * are kept in f32 as PyTorch does: rounded to f16 they move a router's near tie now and then, which says nothing about a kernel.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { nmse } from '../../gpu/reference/nmse.ts';
import { openEngine } from '../../main/hosts/node/engine.ts';

const MOST_NMSE = 1e-6;

const folder = process.argv[2];
if (!folder) throw new Error('Give the folder that smoke.py wrote.');
const tokens = JSON.parse(readFileSync(path.join(folder, 'tokens.json'), 'utf8')) as number[];
const bytes = readFileSync(path.join(folder, 'logits.f32'));
const truth = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
const opened = await openEngine({ path: path.join(folder, 'starter.gguf'), contextTokens: tokens.length, kvType: 'f32' });
let failed = 0;
try {
  const { engine, model, device } = opened;
  if (truth.length !== tokens.length * model.vocabularySize) throw new Error(`logits.f32 holds ${truth.length} numbers`);
  const ways = { prefill: await engine.logits(tokens), decode: await engine.decodeLogits(tokens) };
  for (const [way, logits] of Object.entries(ways)) {
    const distance = nmse(truth, logits);
    const isNear = distance <= MOST_NMSE; // false for NaN
    if (!isNear) failed++;
    console.log(
      `${isNear ? 'ok' : 'FAILED'}: ${way} kernels on ${device.capabilities.description}: NMSE ${distance.toExponential(2)} to PyTorch`,
    );
  }
} finally {
  await opened.close();
}
console.log(`${2 - failed} passed, ${failed} failed, 0 skipped`);
process.exit(failed > 0 ? 1 : 0);
