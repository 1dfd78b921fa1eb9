/** The catalogue, a repository and the downloads of the scripted client. Development and tests only. */
import type { CatalogueEntry, DownloadEntry, FitVerdict, ModelDetails, RepositoryFile } from '../../main/contract/downloads.ts';

const FITS: FitVerdict = { level: 'ram', text: 'Fits into this computer’s 24 GiB of memory.' };
const TIGHT: FitVerdict = { level: 'ram', text: 'Just fits into this computer’s 24 GiB of memory; close other large programs.' };
const LARGE: FitVerdict = {
  level: 'disk',
  text: 'Larger than this computer’s 24 GiB of memory leaves free. Experts must be read from the disk again and again: slow.',
};

const APACHE = { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0', open: true };
const file = (name: string, quantisation: string, sizeBytes: number, fit: FitVerdict) => ({
  name,
  parts: 1,
  quantisation,
  sizeBytes,
  aboutBytes: null,
  fit,
});

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    id: 'olmoe',
    name: 'OLMoE 1B-7B 0125 Instruct',
    maker: 'Ai2',
    summary: 'Small and fully open, data and all. The first one to try: it fits almost everywhere.',
    repository: 'allenai/OLMoE-1B-7B-0125-Instruct-GGUF',
    licence: APACHE,
    architecture: 'olmoe',
    parametersTotal: 6_920_000_000,
    parametersActive: 1_000_000_000,
    layers: 16,
    experts: 64,
    expertsUsed: 8,
    contextTokens: 4096,
    notYet: null,
    files: [
      file('OLMoE-1B-7B-0125-Instruct-Q4_K_M.gguf', 'Q4_K_M', 4_213_512_192, FITS),
      { ...file('OLMoE-1B-7B-0125-Instruct-Q6_K.gguf', 'Q6_K', 0, FITS), sizeBytes: null, aboutBytes: 5_680_000_000 },
    ],
    sources: ['https://huggingface.co/allenai/OLMoE-1B-7B-0125-Instruct-GGUF/tree/main'],
  },
  {
    id: 'coder',
    name: 'Qwen3-Coder 30B-A3B Instruct',
    maker: 'Qwen',
    summary: 'Made for writing and changing code.',
    repository: 'unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF',
    licence: APACHE,
    architecture: 'qwen3moe',
    parametersTotal: 30_532_122_624,
    parametersActive: 3_300_000_000,
    layers: 48,
    experts: 128,
    expertsUsed: 8,
    contextTokens: 262_144,
    notYet: null,
    files: [
      file('Qwen3-Coder-30B-A3B-Instruct-Q4_K_M.gguf', 'Q4_K_M', 18_556_689_568, TIGHT),
      file('Qwen3-Coder-30B-A3B-Instruct-Q8_0.gguf', 'Q8_0', 32_483_935_392, LARGE),
    ],
    sources: ['https://huggingface.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF'],
  },
  {
    id: 'huge',
    name: 'Qwen3 235B-A22B Instruct 2507',
    maker: 'Qwen',
    summary: 'Very large: for machines with a fast disk and patience. In three parts.',
    repository: 'unsloth/Qwen3-235B-A22B-Instruct-2507-GGUF',
    licence: { name: null, url: null, open: false },
    architecture: 'qwen3moe',
    parametersTotal: 235_000_000_000,
    parametersActive: 22_000_000_000,
    layers: 94,
    experts: 128,
    expertsUsed: 8,
    contextTokens: null,
    notYet: null,
    files: [
      {
        ...file('Q4_K_M/Qwen3-235B-A22B-Instruct-2507-Q4_K_M-00001-of-00003.gguf', 'Q4_K_M', 0, LARGE),
        parts: 3,
        sizeBytes: null,
        aboutBytes: 142_154_074_880,
      },
    ],
    sources: ['https://huggingface.co/unsloth/Qwen3-235B-A22B-Instruct-2507-GGUF'],
  },
  {
    id: 'deepseek-v2-lite-chat',
    name: 'DeepSeek-V2-Lite Chat',
    maker: 'DeepSeek',
    summary: 'An all-round model with many small experts.',
    repository: 'second-state/DeepSeek-V2-Lite-Chat-GGUF',
    licence: { name: 'DeepSeek licence', url: 'https://github.com/deepseek-ai/DeepSeek-V2/blob/main/LICENSE-MODEL', open: false },
    architecture: 'deepseek2',
    parametersTotal: 16_000_000_000,
    parametersActive: 2_400_000_000,
    layers: 27,
    experts: 64,
    expertsUsed: 6,
    contextTokens: 32_768,
    notYet: 'Conclave’s engine does not have the architecture deepseek2 yet.',
    files: [file('DeepSeek-V2-Lite-Chat-Q4_K_M.gguf', 'Q4_K_M', 10_400_000_000, FITS)],
    sources: ['https://huggingface.co/deepseek-ai/DeepSeek-V2-Lite-Chat'],
  },
];

export const REPOSITORY_FILES: readonly RepositoryFile[] = [
  { name: 'OLMoE-1B-7B-0125-Instruct-Q2_K.gguf', parts: 1, sizeBytes: 2_560_000_000, fit: FITS },
  { name: 'OLMoE-1B-7B-0125-Instruct-Q4_K_M.gguf', parts: 1, sizeBytes: 4_213_512_192, fit: FITS },
  { name: 'F32/OLMoE-1B-7B-0125-Instruct-F32-00001-of-00002.gguf', parts: 2, sizeBytes: 27_600_000_000, fit: LARGE },
];

export const DOWNLOAD: DownloadEntry = {
  id: 'running',
  name: 'OLMoE 1B-7B 0125 Instruct Q4_K_M',
  host: 'huggingface.co',
  state: 'running',
  receivedBytes: 1_310_000_000,
  totalBytes: 4_213_512_192,
  bytesPerSecond: 27_400_000,
  remainingMs: 106_000,
  files: 1,
  checksum: 'catalogue',
  error: null,
  addedAtMs: 0,
};

/** One in each state that people meet. */
export const DOWNLOADS: readonly DownloadEntry[] = [
  DOWNLOAD,
  {
    ...DOWNLOAD,
    id: 'waiting',
    name: 'Qwen3-30B-A3B-Q4_K_M',
    state: 'waiting',
    receivedBytes: 9_100_000_000,
    totalBytes: 18_556_685_824,
    bytesPerSecond: null,
    remainingMs: null,
    checksum: 'server',
    error: {
      code: 'download.network',
      message: 'huggingface.co: the connection was cut. The next try follows by itself.',
      details: {},
    },
  },
  {
    ...DOWNLOAD,
    id: 'paused',
    name: 'my-mixture',
    host: 'models.example.org',
    state: 'paused',
    receivedBytes: 410_000_000,
    totalBytes: null,
    bytesPerSecond: null,
    remainingMs: null,
    checksum: null,
  },
  {
    ...DOWNLOAD,
    id: 'failed',
    name: 'granite-3.0-3b-a800m-instruct-Q4_K_M',
    state: 'failed',
    receivedBytes: 0,
    totalBytes: 2_059_356_000,
    bytesPerSecond: null,
    remainingMs: null,
    checksum: 'catalogue',
    error: {
      code: 'download.checksum',
      message:
        'granite-3.0-3b-a800m-instruct-Q4_K_M.gguf was refused and deleted: its SHA-256 is 51aa, but the catalogue gave aa62. It was damaged on the way or is not the file that was meant. Try again to fetch it anew.',
      details: {},
    },
  },
];

export function details(modelId: string, path: string, owned: boolean): ModelDetails {
  return {
    modelId,
    paths: [path],
    sizeBytes: 18_556_689_568,
    architecture: 'qwen3moe',
    ggufVersion: 3,
    parametersTotal: 30_532_122_624,
    parametersActive: 3_345_000_000,
    layers: 48,
    modelWidth: 2048,
    heads: 32,
    kvHeads: 4,
    vocabulary: 151_936,
    trainedContextTokens: 262_144,
    experts: { count: 128, used: 8, bytes: 17_465_081_856, bytesPerExpert: 2_842_624 },
    types: [
      { type: 'Q4_K', tensors: 265, bytes: 14_210_000_000 },
      { type: 'Q6_K', tensors: 72, bytes: 4_290_000_000 },
      { type: 'F32', tensors: 242, bytes: 51_000_000 },
    ],
    tokenizer: 'gpt2, qwen2',
    template: '{%- for message in messages %}\n<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{%- endfor %}',
    licence: 'apache-2.0',
    sampling: { named: { temperature: 0.6, topK: 20, topP: 0.95, minP: null }, notes: [] },
    owned,
    fit: TIGHT,
  };
}
