/** `ModelFiles` over GGUF files on disk: what the engine would refuse is refused here already, at import, without reading weights. */
import { readModel } from '../../gpu/architectures/read-model.ts';
import type { GgufFile } from '../../gpu/gguf/types.ts';
import { optionalString } from '../../gpu/gguf/metadata.ts';
import { createTokenizer } from '../../gpu/tokenizer/tokenizer.ts';
import type { ChatMessage, ChatTemplate, Tokenizer } from '../../gpu/tokenizer/types.ts';
import type { ChatModel, EncodedPrompt } from '../chat/chat-model.ts';
import { createChatTemplate } from '../chat/chat-template.ts';
import { answerDecoder } from '../chat/harmony-decoder.ts';
import type { NamedSampling } from '../contract/sampling.ts';
import { answerOpening } from '../contract/thoughts.ts';
import type { ModelFacts } from '../contract/types.ts';
import { describeModel } from './describe-model.ts';
import { openModelFile } from './model-file.ts';
import { readSampling } from './read-sampling.ts';
import type { DescribedModel, InspectedModel, ModelFiles } from './model-files.ts';

/** Shown to people; what is longer is cut off there. */
const MAX_TEMPLATE_CHARS = 20_000;
const MAX_LICENCE_CHARS = 300;

interface OpenedModel {
  readonly inspected: InspectedModel;
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  readonly sampling: NamedSampling;
}

export const modelFiles: ModelFiles = {
  async describe(filePath, signal) {
    const opened = await openModelFile(filePath, signal);
    try {
      return detailsOf(opened.file);
    } finally {
      await opened.close();
    }
  },
  async inspect(filePath, signal) {
    return (await openModel(filePath, signal)).inspected;
  },
  async open(filePath, modelId, signal) {
    const opened = await openModel(filePath, signal);
    return { inspected: opened.inspected, chat: chatModelOf(modelId, opened.inspected.name, opened) };
  },
};

export function chatModelOf(
  modelId: string,
  name: string,
  { tokenizer, template, sampling }: Pick<OpenedModel, 'tokenizer' | 'template' | 'sampling'>,
): ChatModel {
  return {
    modelId,
    name,
    endIds: tokenizer.endIds,
    sampling,
    encodePrompt: (messages) => encodeMessages(messages, { tokenizer, template }),
    decoder: () => answerDecoder(tokenizer),
  };
}

export function encodeMessages(
  messages: readonly ChatMessage[],
  { tokenizer, template }: Pick<OpenedModel, 'tokenizer' | 'template'>,
): EncodedPrompt {
  const pieces = template.renderPieces(messages);
  return { ids: tokenizer.encodePieces(pieces), opening: answerOpening(pieces) };
}

async function openModel(filePath: string, signal?: AbortSignal): Promise<OpenedModel> {
  const opened = await openModelFile(filePath, signal);
  try {
    const { file, sources } = opened;
    const model = readModel(file);
    const tokenizer = createTokenizer(file.metadata);
    const template = createChatTemplate(file.metadata);
    const sampling = readSampling(file).named;
    // In part order, which is the order in which the engine wants them.
    const inOrder = file.sources.map((source) => sources.find((candidate) => candidate === source)!);
    const parts = inOrder.map(({ path, sizeBytes, modifiedAtMs }) => ({ path, sizeBytes, modifiedAtMs }));
    const inspected = {
      name: model.name,
      parts,
      sizeBytes: file.sizeBytes,
      facts: { ...factsOf(file, model.trainedContextTokens, template), sampling },
      headWidth: model.headWidth,
    };
    return { inspected, tokenizer, template, sampling };
  } finally {
    await opened.close();
  }
}

function factsOf(file: GgufFile, trainedContextTokens: number, template: ChatTemplate): Omit<ModelFacts, 'sampling'> {
  const { architecture, parameters, dimensions, experts, types } = describeModel(file);
  return {
    architecture,
    parameterCount: parameters.total,
    nLayers: dimensions.layers ?? 0,
    nExperts: experts?.count ?? 0,
    nExpertsUsed: experts?.used ?? 0,
    ...(experts?.groups && { nExpertsReached: (experts.count / experts.groups.count) * experts.groups.used }),
    trainedContextTokens,
    quantisation: types[0].type,
    templateSource: template.source,
  };
}

function detailsOf(file: GgufFile): DescribedModel {
  const { architecture, ggufVersion, sizeBytes, parameters, dimensions, experts, types, tokenizer, sampling } =
    describeModel(file);
  const { layers, modelWidth, heads, kvHeads, vocabulary, trainedContextTokens } = dimensions;
  return {
    sizeBytes,
    architecture,
    ggufVersion,
    parametersTotal: parameters.total,
    parametersActive: parameters.active,
    layers,
    modelWidth,
    heads,
    kvHeads,
    vocabulary,
    trainedContextTokens,
    experts,
    types,
    sampling,
    tokenizer: [tokenizer.model, tokenizer.preTokenizer].filter((name) => name !== null).join(', ') || null,
    template: optionalString(file, 'tokenizer.chat_template')?.slice(0, MAX_TEMPLATE_CHARS) ?? null,
    licence: optionalString(file, 'general.license')?.slice(0, MAX_LICENCE_CHARS) ?? null,
  };
}
