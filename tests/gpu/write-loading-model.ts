/** A file for measurements of loading, 370 MB of experts of Qwen3-30B-A3B's size: node tests/gpu/write-loading-model.ts TYPE FILE (Q8_0, Q4_0, Q4_K, …). */
import { isComputeType } from '../../gpu/quant/formats.ts';
import { largeContents, writeLargeModel } from '../fixtures/large-model.ts';

const [type, file] = process.argv.slice(2);
if (!file || !isComputeType(type)) throw new Error('give a tensor type and the file to write');
await writeLargeModel(file, largeContents(330 * 2 ** 20, { type, otherType: type, nExperts: 32 }));
