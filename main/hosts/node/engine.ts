/** One model, ready to run in this process, with its words: what the CLI's commands and scripts start from. */
import { readModel } from '../../../gpu/architectures/read-model.ts';
import type { ModelSpec } from '../../../gpu/architectures/types.ts';
import { openDevice, type GpuDevice } from '../../../gpu/device/open-device.ts';
import { createEngine } from '../../../gpu/runtime/engine.ts';
import { EngineSession } from '../../../gpu/runtime/session.ts';
import type { Engine, EngineOptions } from '../../../gpu/runtime/types.ts';
import { createTokenizer } from '../../../gpu/tokenizer/tokenizer.ts';
import type { ChatTemplate, Tokenizer } from '../../../gpu/tokenizer/types.ts';
import { createChatTemplate } from '../../chat/chat-template.ts';
import { openModelFile } from '../../library/model-file.ts';
import { nodeGpu, type AdapterChoice } from './gpu.ts';

export interface OpenEngineOptions extends Omit<EngineOptions, 'model'> {
  /** A .gguf file; of a split model any part, the others beside it. */
  readonly path: string;
  readonly adapter?: AdapterChoice;
}

export interface OpenedEngine {
  readonly model: ModelSpec;
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  readonly device: GpuDevice;
  readonly engine: Engine;
  readonly session: EngineSession;
  /** From the call to a model that can answer. */
  readonly loadMs: number;
  close(): Promise<void>;
}

/** Rejects with gguf.*, file.*, model.*, gpu.* or engine.*; nothing stays open then. */
export async function openEngine({ path, adapter = 'auto', ...options }: OpenEngineOptions): Promise<OpenedEngine> {
  const startMs = performance.now();
  const opened = await openModelFile(path, options.signal);
  let device: GpuDevice | undefined;
  try {
    const { file } = opened;
    const model = readModel(file);
    const tokenizer = createTokenizer(file.metadata);
    const template = createChatTemplate(file.metadata);
    device = await openDevice(await nodeGpu(adapter));
    const gpu = device;
    const engine = await createEngine(gpu, { ...options, model });
    return {
      model,
      tokenizer,
      template,
      device: gpu,
      engine,
      session: new EngineSession(engine),
      loadMs: performance.now() - startMs,
      async close() {
        engine.dispose();
        gpu.dispose();
        await opened.close();
      },
    };
  } catch (error) {
    device?.dispose();
    await opened.close();
    throw error;
  }
}
