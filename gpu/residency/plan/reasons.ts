/** A plan's choices in plain sentences, for whoever asks why. */
import { mebibytes, percent } from './words.ts';
import type { ResolvedBudgets } from './budgets.ts';
import type { ChosenContext } from './context.ts';
import type { MachineFigures, ModelNumbers, OffloadPlan, PlanReason } from './types.ts';

interface Grounds {
  readonly budgets: ResolvedBudgets;
  readonly context: ChosenContext;
  readonly machine: MachineFigures;
}

export function planReasons(model: ModelNumbers, plan: Omit<OffloadPlan, 'reasons'>, grounds: Grounds): PlanReason[] {
  const reasons = [gpuBudget(grounds), contextReason(model, plan, grounds), alwaysResident(model, plan)];
  if (model.layers.length === 0) return reasons;
  reasons.push(experts(model, plan));
  if (plan.residency.transitSlots) reasons.push(transit(model, plan), chunk(plan), ramPool(plan, grounds), sidecar(plan));
  return reasons;
}

function gpuBudget({ budgets, machine }: Grounds): PlanReason {
  const why = {
    given: 'It was asked for.',
    refused: 'The GPU refused more when the model took it.',
    probed: machine.unifiedMemory
      ? 'That much of the memory that GPU and processor share can be taken without pressing other programs.'
      : 'Nine tenths of what the GPU could allocate; the rest is for the desktop and other programs.',
    assumed: 'The GPU has not been probed yet; this is assumed.',
  }[budgets.gpuSource];
  return { topic: 'gpu budget', choice: mebibytes(budgets.gpuBytes), why };
}

function contextReason(model: ModelNumbers, plan: Omit<OffloadPlan, 'reasons'>, { context }: Grounds): PlanReason {
  const kv = `${mebibytes(plan.gpu.kvBytes)} as ${plan.kvType}`;
  const why = {
    wish: `It was asked for; its keys and values take ${kv}.`,
    default:
      context.tokens === model.trainedContextTokens
        ? `As long as the model was trained for; keys and values take ${kv}.`
        : `Long enough for most conversations; keys and values take ${kv}.`,
    experts: `Shorter than ${context.goalTokens}, so that keys and values (${kv}) take no more than a quarter of what experts could use.`,
    floor: `Shorter than ${context.goalTokens}: the budget has room for no more beside the weights (keys and values take ${kv}).`,
  }[context.because];
  return { topic: 'context', choice: `${context.tokens} tokens`, why };
}

function alwaysResident(model: ModelNumbers, plan: Omit<OffloadPlan, 'reasons'>): PlanReason {
  const { weightsBytes, activationsBytes } = plan.gpu;
  return {
    topic: 'always resident',
    choice: mebibytes(weightsBytes + plan.gpu.kvBytes + activationsBytes),
    why:
      model.layers.length === 0
        ? 'The model is dense: every token needs every weight.'
        : 'Every token needs attention, routers, shared experts, embedding and head; only routed experts can be away.',
  };
}

function experts(model: ModelNumbers, plan: Omit<OffloadPlan, 'reasons'>): PlanReason {
  const { layers, slotShare, residency } = plan;
  const total = model.layers.length;
  if (layers.resident === total) {
    return { topic: 'experts', choice: `all ${total} layers resident`, why: 'They fit, so no token ever waits for an expert.' };
  }
  const slots = residency.layers.flatMap((layer) => (layer.kind === 'slotted' ? [layer.nSlots] : []));
  const range =
    slots.length === 0
      ? ''
      : Math.min(...slots) === Math.max(...slots)
        ? `${slots[0]}`
        : `${Math.min(...slots)} to ${Math.max(...slots)}`;
  const parts = [
    layers.resident > 0 ? `${layers.resident} resident` : '',
    layers.slotted > 0 ? `${layers.slotted} with ${range} of ${model.nExperts} slots` : '',
    layers.streamed > 0 ? `${layers.streamed} streamed` : '',
  ].filter(Boolean);
  const why =
    layers.streamed === 0
      ? `The budget holds ${percent(slotShare)} of the expert bytes; each layer keeps the experts it used lately.`
      : `The budget holds ${percent(slotShare)} of the expert bytes. ${
          layers.slotted > 0
            ? `A layer with fewer than ${2 * model.nUsed} slots would mostly evict what the next token wants, so some are streamed that others have enough.`
            : `Shared out, that is less than ${2 * model.nUsed} slots a layer, with which each would mostly evict what the next token wants.`
        }`;
  return { topic: 'experts', choice: parts.join(', '), why };
}

function transit(model: ModelNumbers, plan: Omit<OffloadPlan, 'reasons'>): PlanReason {
  const slots = plan.residency.transitSlots ?? 0;
  return {
    topic: 'transit',
    choice: `${slots} slots, ${mebibytes(plan.residency.stagingBytes)} of staging`,
    why:
      slots > model.nUsed
        ? 'Experts without a slot of their own pass through here; a second token’s worth is filled while the first is used.'
        : 'The least that a token needs at once: the bytes serve better as slots.',
  };
}

function chunk(plan: Omit<OffloadPlan, 'reasons'>): PlanReason {
  return {
    topic: 'chunk',
    choice: `${plan.prefillChunkTokens} prompt tokens at a time`,
    why: 'A chunk brings nearly every expert once, so a longer one brings fewer; its activations take room from slots.',
  };
}

function ramPool(plan: Omit<OffloadPlan, 'reasons'>, { budgets }: Grounds): PlanReason {
  const { poolBytes } = plan.ram;
  if (poolBytes > 0) {
    const all =
      plan.diskBytes === 0 ? 'It holds every expert that has no slot' : 'It holds part of the experts that have no slot';
    const source =
      budgets.ramSource === 'given' ? 'the size was asked for' : 'a fifth of all RAM stays free, so that nothing swaps';
    return { topic: 'ram pool', choice: mebibytes(poolBytes), why: `${all}; ${source}.` };
  }
  const why =
    budgets.ramSource === 'unified'
      ? 'GPU and processor share one memory: a pool would be a second copy of what the system caches of the file.'
      : 'The budget is less than the experts of one token.';
  return { topic: 'ram pool', choice: 'none', why };
}

function sidecar({ sidecar: wanted, prediction }: Omit<OffloadPlan, 'reasons'>): PlanReason {
  const perToken = mebibytes(prediction.bytesReadPerToken);
  return wanted
    ? {
        topic: 'sidecar',
        choice: 'would help',
        why: `About ${perToken} of experts come from disk for each token, in three reads each; one read each is faster.`,
      }
    : { topic: 'sidecar', choice: 'not needed', why: `Only about ${perToken} come from disk for each token.` };
}
