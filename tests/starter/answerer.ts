/**
 * A model that answers conversations greedily as the app would: its own template and tokenizer, our engine. `reference` is the f64 engine
 * on the processor, for machines without an adapter; it also gives the routing of every token, prompt and answer alike.
 */
import { readModel } from '../../gpu/architectures/read-model.ts';
import type { ModelSpec } from '../../gpu/architectures/types.ts';
import { openDevice } from '../../gpu/device/open-device.ts';
import { sampleGreedyRef } from '../../gpu/kernels/sample-greedy/sample-greedy.ref.ts';
import { createReferenceEngine, type ReferenceEngine } from '../../gpu/reference/engine.ts';
import { createEngine } from '../../gpu/runtime/engine.ts';
import { EngineSession } from '../../gpu/runtime/session.ts';
import { createTokenizer } from '../../gpu/tokenizer/tokenizer.ts';
import type { ChatMessage } from '../../gpu/tokenizer/types.ts';
import { createChatTemplate } from '../../main/chat/chat-template.ts';
import { nodeGpu, type AdapterChoice } from '../../main/hosts/node/gpu.ts';
import { openModelFile } from '../../main/library/model-file.ts';

export interface GivenAnswer {
  readonly text: string;
  /** Prompt and answer, the end token not included. */
  readonly ids: readonly number[];
}

export interface Answerer {
  readonly description: string;
  readonly model: ModelSpec;
  answer(messages: readonly ChatMessage[], maxTokens: number): Promise<GivenAnswer>;
  /** Expert ids of every position by the f64 engine, [n, MoE layers, K]. */
  routing(ids: readonly number[]): Promise<Uint16Array>;
  close(): Promise<void>;
}

export interface AnswererOptions {
  readonly engine: 'gpu' | 'reference';
  readonly adapter: AdapterChoice;
  /** Capped by what the model was trained on. */
  readonly contextTokens: number;
}

interface Generator {
  readonly description: string;
  /** Answer ids, greedy, up to and without the end token. */
  generate(promptIds: Int32Array, maxTokens: number): Promise<number[]>;
  dispose(): void;
}

/** Rejects as the file's reader or the adapter does. */
export async function openAnswerer(path: string, options: AnswererOptions): Promise<Answerer> {
  const opened = await openModelFile(path);
  try {
    const model = readModel(opened.file);
    const tokenizer = createTokenizer(opened.file.metadata);
    const template = createChatTemplate(opened.file.metadata);
    const reference = createReferenceEngine(model);
    const contextTokens = Math.min(options.contextTokens, model.trainedContextTokens);
    const generator =
      options.engine === 'reference'
        ? referenceGenerator(reference, contextTokens, tokenizer.endIds)
        : await gpuGenerator(model, contextTokens, tokenizer.endIds, options.adapter);
    return {
      description: generator.description,
      model,
      async answer(messages, maxTokens) {
        const promptIds = tokenizer.encodePieces(template.renderPieces(messages));
        const room = contextTokens - promptIds.length;
        if (room < 1) return { text: '', ids: [] }; // counts as wrong: the app would refuse the prompt as too long
        const answerIds = await generator.generate(promptIds, Math.min(maxTokens, room));
        return { text: tokenizer.decode(answerIds), ids: [...promptIds, ...answerIds] };
      },
      routing: async (ids) => (await reference.run(ids)).routing,
      async close() {
        generator.dispose();
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** One sequence for all prompts: what a prompt has in common with the one before (instructions, earlier turns) is not computed again. */
function referenceGenerator(engine: ReferenceEngine, contextTokens: number, endIds: ReadonlySet<number>): Generator {
  const sequence = engine.sequence(contextTokens);
  let held: readonly number[] = [];
  return {
    description: 'the f64 reference engine',
    async generate(promptIds, maxTokens) {
      const prompt = Array.from(promptIds);
      const differsAt = prompt.findIndex((id, i) => id !== held[i] || i === prompt.length - 1); // the last one's logits are needed
      sequence.truncate(Math.min(differsAt, sequence.position));
      const ids: number[] = [];
      let next = prompt.slice(sequence.position);
      held = prompt;
      while (ids.length < maxTokens) {
        const id = sampleGreedyRef((await sequence.append(next, 'last')).logits);
        if (endIds.has(id)) break;
        ids.push(id);
        next = [id];
      }
      return ids;
    },
    dispose: () => {},
  };
}

async function gpuGenerator(
  model: ModelSpec,
  contextTokens: number,
  endIds: ReadonlySet<number>,
  adapter: AdapterChoice,
): Promise<Generator> {
  const gpu = await openDevice(await nodeGpu(adapter));
  const engine = await createEngine(gpu, { model, contextTokens });
  const session = new EngineSession(engine);
  const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, seed: 0 };
  return {
    description: gpu.capabilities.description,
    async generate(promptIds, maxTokens) {
      const ids: number[] = [];
      const onTokens = (more: readonly number[]) => void ids.push(...more);
      await session.generate({ promptIds, maxTokens, endIds, sampling }, { onPrefill: () => {}, onTokens });
      return ids.filter((id) => !endIds.has(id));
    },
    dispose() {
      engine.dispose();
      gpu.dispose();
    },
  };
}
