/** Why a question or an answer waits, in words. */
import type { WireError } from '../../main/contract/errors.ts';
import type { ModelEntry } from '../../main/contract/types.ts';
import type { AppView } from '../state/app.ts';
import { percent } from '../state/format.ts';

export interface Waiting {
  readonly text: string;
  readonly needsModel: boolean;
}

export function waitingFor({ engine }: Pick<AppView, 'engine'>, model: ModelEntry | null): Waiting {
  switch (engine.state) {
    case 'loading':
      return {
        text: `Your question is kept and will be answered when ${model?.name ?? 'the model'} is loaded (${percent(engine.done, engine.total)}\u00a0%).`,
        needsModel: false,
      };
    case 'ready':
      return { text: 'Your question is kept and comes next.', needsModel: false };
    case 'failed':
      return { text: 'Your question is kept. It will be answered once a model runs.', needsModel: true };
    case 'idle':
      return { text: 'Your question is kept. It will be answered once you choose a model.', needsModel: true };
  }
}

/** The device failed under an answer, which goes on by itself. */
export function resetText({ code, details }: WireError): string {
  const wasMemory = code === 'gpu.out-of-memory' || details.outOfMemory === true;
  return wasMemory ? 'Graphics memory ran out, going on with less of it …' : 'The graphics device was reset, going on …';
}
