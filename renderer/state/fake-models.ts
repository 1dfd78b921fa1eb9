/** Models, a plan and a loaded engine for the scripted client. Development and tests only. */
import { NOTHING_NAMED } from '../../main/contract/sampling.ts';
import type { EngineStatus, ModelEntry } from '../../main/contract/types.ts';

export const ADAPTER = { description: 'SwiftShader 5.0 (Vulkan)', software: true };

export const TINY: ModelEntry = {
  id: 'tiny',
  name: 'Conclave Tiny',
  path: '/opt/conclave/resources/models/conclave-tiny.gguf',
  sizeBytes: 92_400_000,
  addedAtMs: 0,
  status: 'usable',
  facts: {
    architecture: 'llama',
    parameterCount: 312_000_000,
    nLayers: 30,
    nExperts: 4,
    nExpertsUsed: 2,
    trainedContextTokens: 8192,
    quantisation: 'Q4_1',
    templateSource: 'file',
    sampling: NOTHING_NAMED,
  },
  problem: null,
  builtIn: true,
  owned: false,
};

export const QWEN: ModelEntry = {
  id: 'qwen',
  name: 'Qwen3-30B-A3B-Instruct-2507',
  path: '/home/ada/Models/Qwen3-30B-A3B-Instruct-2507-Q4_K_M.gguf',
  sizeBytes: 18_556_689_568,
  addedAtMs: 0,
  status: 'usable',
  facts: {
    architecture: 'qwen3moe',
    parameterCount: 30_532_122_624,
    nLayers: 48,
    nExperts: 128,
    nExpertsUsed: 8,
    trainedContextTokens: 262_144,
    quantisation: 'Q4_K',
    templateSource: 'file',
    sampling: { temperature: 0.6, topK: 20, topP: 0.95, minP: null },
  },
  problem: null,
  builtIn: false,
  owned: false,
};

export const MISSING: ModelEntry = {
  ...QWEN,
  id: 'olmoe',
  name: 'OLMoE-1B-7B-0125-Instruct',
  path: '/media/usb/OLMoE-1B-7B-0125-Instruct-Q4_K_M.gguf',
  sizeBytes: 4_212_000_000,
  status: 'missing',
  facts: {
    architecture: 'olmoe',
    parameterCount: 6_919_161_856,
    nLayers: 16,
    nExperts: 64,
    nExpertsUsed: 8,
    trainedContextTokens: 4096,
    quantisation: 'Q4_K',
    templateSource: 'fallback',
    sampling: null,
  },
};

export const UNUSABLE: ModelEntry = {
  ...QWEN,
  id: 'mamba',
  name: 'mamba-2.8b-hf',
  path: '/home/ada/Models/mamba-2.8b-hf-Q6_K.gguf',
  sizeBytes: 2_280_000_000,
  status: 'unusable',
  facts: null,
  problem: {
    code: 'model.architecture',
    message:
      'The file says general.architecture = "mamba". Conclave runs llama, qwen2moe, qwen3moe and olmoe; choose a model of one of these.',
    details: { architecture: 'mamba' },
  },
};

/** Of QWEN with 12 GiB: 48 layers, 4 heads of 128 for keys and for values. */
const PLAN: NonNullable<Extract<EngineStatus, { state: 'ready' }>['plan']> = {
  residency: { layers: [], ramPoolBytes: 9_000_000_000, stagingBytes: 67_108_864 },
  contextTokens: 8192,
  kvType: 'f16',
  prefillChunkTokens: 256,
  gpu: {
    weightsBytes: 1_100_000_000,
    expertsBytes: 8_400_000_000,
    kvBytes: 8192 * 2 * 48 * 4 * 128 * 2,
    activationsBytes: 90_000_000,
    stagingBytes: 67_108_864,
    totalBytes: 10_462_000_000,
    budgetBytes: 10_700_000_000,
  },
  ram: { poolBytes: 9_000_000_000, budgetBytes: 20_000_000_000 },
  diskBytes: 0,
  layers: { resident: 0, slotted: 48, streamed: 0 },
  slotShare: 0.48,
  sidecar: false,
  leastGpuBytes: 2_000_000_000,
  prediction: {
    tokensPerSecond: 24,
    fromTokensPerSecond: 18,
    toTokensPerSecond: 30,
    hitRate: 0.8,
    hitRateSource: 'assumed',
    missesFromRamPerToken: 77,
    missesFromDiskPerToken: 0,
    readbacksPerToken: 48,
    bytesReadPerToken: 2_000_000_000,
    bytesUploadedPerToken: 218_000_000,
    computeMs: 12,
    waitMs: 9,
    transferMs: 18,
    promptTokensPerSecond: 160,
    assumptions: [],
  },
  reasons: [],
};

export const READY = {
  state: 'ready' as const,
  modelId: 'qwen',
  adapter: { description: 'NVIDIA GeForce RTX 4070', software: false },
  contextTokens: 8192,
  plan: PLAN,
};
