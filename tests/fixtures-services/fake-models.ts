/** Model files for tests of the services: any file that begins with `GGUF` is a model whose tokens are UTF-16 units. */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { engineError } from '../../gpu/errors.ts';
import type { ChatModel } from '../../main/chat/chat-model.ts';
import { NOTHING_NAMED } from '../../main/contract/sampling.ts';
import type { ModelFacts } from '../../main/contract/types.ts';
import type { DescribedModel, InspectedModel, ModelFiles } from '../../main/library/model-files.ts';

export const FAKE_FACTS: ModelFacts = {
  architecture: 'llama',
  parameterCount: 1234,
  nLayers: 2,
  nExperts: 4,
  nExpertsUsed: 2,
  trainedContextTokens: 400,
  quantisation: 'Q4_0',
  templateSource: 'fallback',
  sampling: NOTHING_NAMED,
};

const FAKE_DETAILS: DescribedModel = {
  sizeBytes: 9,
  architecture: 'llama',
  ggufVersion: 3,
  parametersTotal: 1234,
  parametersActive: 700,
  layers: 2,
  modelWidth: 8,
  heads: 2,
  kvHeads: 1,
  vocabulary: 65_536,
  trainedContextTokens: 400,
  experts: { count: 4, used: 2, bytes: 800, bytesPerExpert: 100 },
  types: [{ type: 'Q4_0', tensors: 20, bytes: 900 }],
  tokenizer: 'gpt2',
  template: null,
  licence: null,
  sampling: { named: NOTHING_NAMED, notes: [] },
};

/** `opening`: what its prompt holds of the answer. */
export function fakeChatModel(modelId: string, name: string, sampling = NOTHING_NAMED, opening = ''): ChatModel {
  return {
    modelId,
    name,
    endIds: new Set([0]),
    sampling,
    encodePrompt(messages) {
      const text = messages.map(({ role, content }) => `<${role}>${content}`).join('') + `<assistant>${opening}`;
      return { ids: Int32Array.from({ length: text.length }, (_, i) => text.charCodeAt(i)), opening };
    },
    decoder() {
      let pending = '';
      return {
        push(id) {
          pending += String.fromCharCode(id);
          if (/[\uD800-\uDBFF]$/.test(pending)) return '';
          const text = pending;
          pending = '';
          return text;
        },
        flush: () => (pending === '' ? '' : '\uFFFD'),
      };
    },
  };
}

export class FakeModelFiles implements ModelFiles {
  nInspections = 0;
  /** What the next file says. */
  facts = FAKE_FACTS;
  headWidth = 64;
  opening = '';

  async inspect(filePath: string): Promise<InspectedModel> {
    this.nInspections++;
    const found = await stat(filePath).catch((cause: unknown) => {
      throw engineError('file.read', `${filePath} could not be opened: there is no such file.`, { path: filePath }, cause);
    });
    const text = await readFile(filePath, 'utf8');
    if (!text.startsWith('GGUF')) throw engineError('gguf.not-gguf', `${filePath} is not a GGUF file.`, { path: filePath });
    const parts = [{ path: filePath, sizeBytes: found.size, modifiedAtMs: found.mtimeMs }];
    return { name: path.basename(filePath, '.gguf'), parts, sizeBytes: found.size, facts: this.facts, headWidth: this.headWidth };
  }

  async describe(filePath: string): Promise<DescribedModel> {
    return { ...FAKE_DETAILS, sizeBytes: (await this.inspect(filePath)).sizeBytes };
  }

  async open(filePath: string, modelId: string) {
    const inspected = await this.inspect(filePath);
    return { inspected, chat: fakeChatModel(modelId, inspected.name, inspected.facts.sampling ?? NOTHING_NAMED, this.opening) };
  }
}
