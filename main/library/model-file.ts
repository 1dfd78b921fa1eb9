/** Opens a GGUF model on disk, with the other parts of a split one from the same folder, and closes them all together. */
import path from 'node:path';
import { openGguf } from '../../gpu/gguf/read.ts';
import type { GgufFile } from '../../gpu/gguf/types.ts';
import { openFileSource, type FileSource } from './file-source.ts';

export interface OpenModelFile {
  readonly file: GgufFile;
  /** Every open part, the given file first. */
  readonly sources: readonly FileSource[];
  close(): Promise<void>;
}

/** Rejects with gguf.* or file.*; nothing stays open then. */
export async function openModelFile(filePath: string, signal?: AbortSignal): Promise<OpenModelFile> {
  const sources: FileSource[] = [];
  const close = async () => {
    for (const source of sources) await source.close();
  };
  const openOne = async (partPath: string) => {
    const source = await openFileSource(partPath);
    sources.push(source);
    return source;
  };
  try {
    const first = await openOne(filePath);
    const openPart = (name: string) => openOne(path.join(path.dirname(filePath), name));
    return { file: await openGguf(first, { openPart, signal }), sources, close };
  } catch (error) {
    await close();
    throw error;
  }
}
