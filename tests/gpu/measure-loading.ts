/**
 * How fast experts and whole models come from a file to the GPU in Node, beside a plain copy: node main/hosts/launcher/with-node.mjs
 * tests/gpu/measure-loading.ts MODEL.gguf… [--rounds N] [--staging BYTES] [--only file,pool,packed,resident]. In the app's engine host: tests/electron/measure-loading.ts.
 */
import { parseArgs } from 'node:util';
import { openModelFile } from '../../main/library/model-file.ts';
import { loadingRates, ratesText } from './loading-rates.ts';
import { openTestDevice } from './node-gpu.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '6' },
    staging: { type: 'string', default: String(32 * 2 ** 20) },
    only: { type: 'string', default: 'file,pool,packed,resident' },
  },
});
const gpu = await openTestDevice();
if (!gpu || positionals.length === 0) throw new Error('give a model file, on a machine with an adapter');
console.log(gpu.capabilities.description);
for (const path of positionals) {
  const { file, close } = await openModelFile(path);
  console.log(
    ratesText(
      await loadingRates(gpu, file, {
        rounds: Number(values.rounds),
        stagingBytes: Number(values.staging),
        only: values.only.split(','),
      }),
    ),
  );
  await close();
}
process.exit(0);
