/** `upcycle DENSE.gguf OUT.gguf`: a dense llama becomes a Mixtral-type model. Written beside OUT first, so that OUT is never half a file. */
import { open, realpath, rename, rm, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { serviceError } from '../../../contract/errors.ts';
import { openModelFile, type OpenModelFile } from '../../../library/model-file.ts';
import { upcycle, type UpcycleReport } from '../../../library/upcycle.ts';
import { UsageError, type CliCommand, type CliContext } from '../command.ts';
import { EXIT } from '../exit-codes.ts';

export const command: CliCommand = {
  name: 'upcycle',
  usage: 'DENSE.gguf OUT.gguf --experts E --used K [--noise X --seed S]',
  summary:
    'Makes a mixture-of-experts model of a dense llama: copies of its feed-forward layers plus noise, and a random router.',
  options: {
    experts: { type: 'string', value: 'E', description: 'experts per layer, 2 to 256' },
    used: { type: 'string', value: 'K', description: 'experts used per token' },
    noise: {
      type: 'string',
      value: 'X',
      description: "noise as a share of each tensor's standard deviation (default 0: exact copies)",
    },
    seed: { type: 'string', value: 'S', description: 'seed of noise and router (default 0)' },
  },
  positionals: [2, 2],
  async run(context) {
    const [densePath, outPath] = context.positionals;
    const settings = readSettings(context);
    const model = await openModelFile(densePath, context.signal);
    try {
      await refuseOverwritingInput(model, outPath);
      const { report, sizeBytes } = await writeUpcycled(model, outPath, settings, context);
      for (const { name, from, to } of report.retyped)
        context.log(`${name}: written as ${to}, because noise cannot be added in ${from}`);
      context.result(
        { path: outPath, sizeBytes, ...settings, ...report },
        `${outPath}: ${report.nLayers} layers of ${settings.nExperts} experts, ${settings.nExpertsUsed} used; ${sizeBytes} bytes, ${report.nTensors} tensors` +
          (report.retyped.length > 0 ? `; ${report.retyped.length} tensors became ${report.retyped[0].to}` : ''),
      );
      return EXIT.done;
    } finally {
      await model.close();
    }
  },
};

function readSettings({ flags }: CliContext) {
  const nExperts = flags.integer('experts', { min: 2, max: 256 });
  if (nExperts === undefined) throw new UsageError('--experts is missing.');
  const nExpertsUsed = flags.integer('used', { min: 1, max: nExperts });
  if (nExpertsUsed === undefined) throw new UsageError('--used is missing.');
  const noise = flags.number('noise', { min: 0, max: 10 }) ?? 0;
  const seed = flags.integer('seed', { min: 0, max: 2 ** 32 - 1 }) ?? 0;
  return { nExperts, nExpertsUsed, noise, seed };
}

async function refuseOverwritingInput(model: OpenModelFile, outPath: string): Promise<void> {
  const existing = await realpath(outPath).catch(() => null); // there is no such file yet
  for (const source of model.sources) {
    if (existing !== null && existing === (await realpath(source.path))) {
      throw new UsageError(`${outPath} is the file that is read; give another name.`);
    }
  }
}

async function writeUpcycled(
  model: OpenModelFile,
  outPath: string,
  settings: ReturnType<typeof readSettings>,
  { signal, log }: CliContext,
): Promise<{ report: UpcycleReport; sizeBytes: number }> {
  const partial = `${outPath}.partial`;
  const handle = await openOutput(partial);
  let sizeBytes = 0;
  try {
    const sink = {
      async write(bytes: Uint8Array) {
        signal.throwIfAborted();
        await writeAll(handle, bytes, outPath);
        sizeBytes += bytes.length;
      },
    };
    const onTensor = (name: string, index: number, count: number) => {
      if (index % 25 === 0) log(`${index}/${count} ${name}`);
    };
    const report = await upcycle(model.file, sink, { ...settings, signal, onTensor });
    for (const source of model.sources) await source.verify();
    await handle.sync();
    await handle.close();
    await rename(partial, outPath);
    return { report, sizeBytes };
  } catch (error) {
    await handle.close().catch(() => undefined); // already closed: the failure below is the one to tell
    await rm(partial, { force: true });
    throw error;
  }
}

async function openOutput(partial: string): Promise<FileHandle> {
  try {
    return await open(partial, 'w');
  } catch (error) {
    throw new UsageError(`${path.dirname(partial)} cannot be written to: ${(error as Error).message}.`);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, outPath: string): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    try {
      done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      throw serviceError('data.disk-full', `The disk of ${outPath} is full. Make room and try again.`, { path: outPath }, error);
    }
  }
}
