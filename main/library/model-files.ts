/**
 * A model file as the library and the chat see it: facts for the list, tokenizer and chat template for the conversation. Reads the
 * header only; weights are the engine's. The library works against `ModelFiles`, so that its tests need no real model.
 */
import type { ChatModel } from '../chat/chat-model.ts';
import type { ModelDetails } from '../contract/downloads.ts';
import type { ModelFacts } from '../contract/types.ts';
import type { ModelPart } from '../database/models.ts';

export interface InspectedModel {
  readonly name: string;
  /** First part first. */
  readonly parts: readonly ModelPart[];
  readonly sizeBytes: number;
  readonly facts: ModelFacts;
  /** Of the attention's heads. */
  readonly headWidth: number;
}

/** What the file itself says. */
export type DescribedModel = Omit<ModelDetails, 'modelId' | 'paths' | 'owned' | 'fit'>;

export interface ModelFiles {
  /** Also of a file that the engine cannot run. Rejects with gguf.*, file.* or model.* when it cannot be read at all. */
  describe(path: string, signal?: AbortSignal): Promise<DescribedModel>;
  /** Rejects with gguf.*, file.* or model.* when the file cannot be used. */
  inspect(path: string, signal?: AbortSignal): Promise<InspectedModel>;
  /** The same checks; what the chat needs. */
  open(
    path: string,
    modelId: string,
    signal?: AbortSignal,
  ): Promise<{ readonly inspected: InspectedModel; readonly chat: ChatModel }>;
}
