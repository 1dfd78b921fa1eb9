/** What the scripted client pretends: one set of models, conversations and timings per named scenario. Development and tests only. */
import type { RemoteServer } from '../../main/contract/remote.ts';
import { NOTHING_NAMED } from '../../main/contract/sampling.ts';
import type { Conversation, EngineStatus, HostInfo, ModelEntry, Settings } from '../../main/contract/types.ts';
import { everyday, farAway, grounded, long, troubled } from './fake-conversations.ts';
import { ADAPTER, MISSING, QWEN, READY, TINY, UNUSABLE } from './fake-models.ts';
import { SERVERS } from './fake-remote.ts';

export const SCENARIOS = [
  'plain',
  'slow',
  'empty',
  'none',
  'loading',
  'error',
  'device-lost',
  'device-reset',
  'long',
  'remote',
  'documents',
  'library',
  'offline',
] as const;
export type ScenarioName = (typeof SCENARIOS)[number];

export interface Scenario {
  readonly host: HostInfo;
  readonly settings: Settings;
  readonly engine: EngineStatus;
  readonly models: readonly ModelEntry[];
  readonly conversations: readonly Conversation[];
  readonly servers: readonly RemoteServer[];
  readonly tokensPerSecond: number;
  readonly prefillMs: number;
  /** How long `loading` lasts until the engine is ready; null: for ever. */
  readonly loadMs: number | null;
  /** The answer breaks off after this many tokens. */
  readonly loseDeviceAfterTokens: number | null;
  /** The device fails after this many tokens, once, and the answer goes on. */
  readonly resetDeviceAfterTokens?: number;
}

const SETTINGS: Settings = {
  theme: 'system',
  selectedModelId: 'qwen',
  systemPrompt: '',
  ...NOTHING_NAMED,
  seed: null,
  contextTokens: null,
  kvType: 'f16',
  expertsUsed: null,
  approximateRouting: null,
  gpuBudgetBytes: null,
  ramBudgetBytes: null,
  maxAnswerTokens: 2048,
};

const HOST: HostInfo = {
  kind: 'electron',
  version: '0.1.0',
  dataFolder: '/home/ada/.config/conclave',
  fileDialog: true,
  dropGivesPath: true,
  fallbackReason: null,
};

export function scenario(name: ScenarioName, nowMs: number): Scenario {
  const plain: Scenario = {
    host: HOST,
    settings: SETTINGS,
    engine: READY,
    models: [QWEN, TINY],
    conversations: everyday(nowMs),
    servers: [],
    tokensPerSecond: 60,
    prefillMs: 200,
    loadMs: 1200,
    loseDeviceAfterTokens: null,
  };
  const browser: HostInfo = {
    ...HOST,
    kind: 'browser',
    fileDialog: false,
    dropGivesPath: false,
    fallbackReason: 'Electron could not be downloaded, so Conclave runs in your browser.',
  };
  const tinySettings = { ...SETTINGS, selectedModelId: 'tiny' };
  switch (name) {
    case 'plain':
    case 'offline':
      return plain;
    case 'library':
      return { ...plain, models: [QWEN, MISSING, UNUSABLE, TINY] };
    case 'slow':
      return { ...plain, tokensPerSecond: 8, prefillMs: 3000, engine: { ...READY, adapter: ADAPTER } };
    case 'empty':
      return {
        ...plain,
        host: browser,
        conversations: [],
        models: [TINY],
        settings: tinySettings,
        engine: { state: 'ready', modelId: 'tiny', adapter: ADAPTER, contextTokens: 2048 },
      };
    case 'none':
      return {
        ...plain,
        host: browser,
        conversations: [],
        models: [],
        settings: { ...SETTINGS, selectedModelId: null },
        engine: { state: 'idle' },
      };
    case 'loading':
      return {
        ...plain,
        engine: { state: 'loading', modelId: 'qwen', phase: 'weights', done: 0, total: 18_556_689_568 },
        loadMs: 6000,
      };
    case 'error':
      return {
        ...plain,
        models: [QWEN, MISSING, UNUSABLE, TINY],
        conversations: troubled(nowMs),
        loadMs: null,
        engine: {
          state: 'failed',
          modelId: 'qwen',
          error: {
            code: 'engine.budget',
            message:
              'Qwen3-30B-A3B needs at least 3.1 GiB of graphics memory; 2.0 GiB are free. Close other programs or choose a smaller model.',
            details: { leastBytes: 3_328_599_654 },
          },
        },
      };
    case 'device-lost':
      return { ...plain, loseDeviceAfterTokens: 40 };
    case 'device-reset':
      return { ...plain, resetDeviceAfterTokens: 10 };
    case 'remote':
      return {
        ...plain,
        servers: SERVERS,
        settings: { ...SETTINGS, selectedModelId: SERVERS[0].models[0].id },
        engine: {
          ...READY,
          modelId: SERVERS[0].models[0].id,
          adapter: { description: 'A server', software: false },
          contextTokens: null,
        },
        conversations: farAway(nowMs),
      };
    case 'documents':
      return { ...plain, conversations: [...grounded(nowMs), ...everyday(nowMs)] };
    case 'long':
      return { ...plain, conversations: long(nowMs) };
  }
}
