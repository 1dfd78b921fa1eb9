/** llama.cpp from the npm package node-llama-cpp, installed outside the repository: loaded with two threads, nothing built, errors only. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

interface Package<Llama> {
  getLlama(options: object): Promise<Llama>;
  readonly LlamaLogLevel: { readonly error: string };
}

/** `Llama`: the part of the package's object that the caller uses. `gpu` false is the processor. */
export async function loadLlama<Llama>(folder: string, gpu: string | false): Promise<Llama> {
  const entry = path.join(folder, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
  const { getLlama, LlamaLogLevel } = (await import(pathToFileURL(entry).href)) as Package<Llama>;
  return getLlama({ build: 'never', gpu, logLevel: LlamaLogLevel.error, maxThreads: 2 });
}
