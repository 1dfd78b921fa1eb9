/** One model, ready to run in this process, with its words: what the CLI's commands and scripts start from. */
import { readModel } from '../../../gpu/architectures/read-model.ts';
import type { ModelSpec } from '../../../gpu/architectures/types.ts';
import { openDevice, type GpuDevice } from '../../../gpu/device/open-device.ts';
import type { Budget, PlanWishes } from '../../../gpu/residency/plan/plan-for-device.ts';
import type { OffloadPlan } from '../../../gpu/residency/plan/types.ts';
import { createEngine } from '../../../gpu/runtime/engine.ts';
import type { ConclaveError } from '../../../gpu/errors.ts';
import { createPlannedEngine } from '../../../gpu/runtime/planned-engine.ts';
import type { EngineSession } from '../../../gpu/runtime/session.ts';
import { SurvivingEngine } from '../../../gpu/runtime/surviving-engine.ts';
import type { Engine, EngineOptions } from '../../../gpu/runtime/types.ts';
import { createTokenizer } from '../../../gpu/tokenizer/tokenizer.ts';
import type { ChatTemplate, Tokenizer } from '../../../gpu/tokenizer/types.ts';
import { createChatTemplate } from '../../chat/chat-template.ts';
import { openModelFile } from '../../library/model-file.ts';
import { nodeGpu, type AdapterChoice } from './gpu.ts';
import { keepMeasured, surroundingsOf, wishesOf } from './plan.ts';

export interface OpenEngineOptions extends Omit<EngineOptions, 'model' | 'residency'> {
  /** A .gguf file; of a split model any part, the others beside it. */
  readonly path: string;
  readonly adapter?: AdapterChoice;
  /** undefined: chosen by the planner. */
  readonly gpuBudget?: Budget;
  readonly ramBudget?: Budget;
  /** Where link speeds are kept; undefined: the user's own. */
  readonly dataFolder?: string;
  /** Measure unknown link speeds even where all experts fit: for a prediction. */
  readonly measure?: boolean;
  /** Length of the prompt whose speed the plan predicts; default 512. */
  readonly promptTokens?: number;
  /** From recorded routing of the model. */
  readonly hitCurve?: PlanWishes['hitCurve'];
  /** The device failed under `session`, and is being had again. */
  readonly onReset?: (fault: ConclaveError) => void;
}

export interface OpenedEngine {
  readonly model: ModelSpec;
  readonly tokenizer: Tokenizer;
  readonly template: ChatTemplate;
  readonly device: GpuDevice;
  /** The present one: after a reset of the device it is another. */
  readonly engine: Engine;
  /** As it was made first. */
  readonly plan: OffloadPlan;
  /** Outlives a device that fails. */
  readonly session: Pick<EngineSession, 'generate'>;
  /** From the call to a model that can answer. */
  readonly loadMs: number;
  close(): Promise<void>;
}

/** Rejects with gguf.*, file.*, model.*, gpu.* or engine.* (`engine.budget`: it does not fit); nothing stays open then. */
export async function openEngine({ path, adapter = 'auto', ...wishes }: OpenEngineOptions): Promise<OpenedEngine> {
  const { dataFolder, measure, onReset, promptTokens, hitCurve, ...asked } = wishes;
  const { gpuBudget, ramBudget, contextTokens, expertsUsed, kvType, ...options } = asked;
  const startMs = performance.now();
  const opened = await openModelFile(path, options.signal);
  let device: GpuDevice | undefined;
  try {
    const { file } = opened;
    const model = readModel(file);
    const tokenizer = createTokenizer(file.metadata);
    const template = createChatTemplate(file.metadata);
    const open = async () => openDevice(await nodeGpu(adapter));
    const gpu = (device = await open());
    const planned = await createPlannedEngine(gpu, model, {
      ...wishesOf({ contextTokens, expertsUsed, kvType, gpuBudget, ramBudget, promptTokens, hitCurve }),
      measureOnlyToShare: !measure,
      surroundings: surroundingsOf(dataFolder),
      options,
      create: createEngine,
    });
    keepMeasured(planned, dataFolder);
    const survivor = new SurvivingEngine(gpu, planned, {
      openDevice: open,
      warmCounts: options.warmCounts,
      onReset: (fault) => onReset?.(fault),
      onRestored() {},
      onLost() {}, // the answer at work is told
    });
    return {
      model,
      tokenizer,
      template,
      device: gpu,
      get engine() {
        return survivor.engine;
      },
      plan: planned.plan,
      session: survivor,
      loadMs: performance.now() - startMs,
      async close() {
        await survivor.end();
        await opened.close();
      },
    };
  } catch (error) {
    device?.dispose();
    await opened.close();
    throw error;
  }
}
