/**
 * Which experts a mixed set of documents uses: load (busiest ÷ mean) and the mutual information between task and expert, per layer. The
 * baseline shuffles the tasks over whole documents, since tokens of one document are not independent.
 */
import type { Chance } from './chance.ts';

export interface RoutedDocument {
  readonly task: string;
  readonly ids: readonly number[];
  /** Expert ids [tokens, MoE layers, K]. */
  readonly routing: Uint16Array;
}

export interface LayerRouting {
  readonly layer: number;
  /** Tokens of the busiest expert ÷ mean over all experts. */
  readonly load: number;
  /** I(task; expert) in bits. */
  readonly bits: number;
  /** Its greatest value over the shuffles. */
  readonly shuffledBits: number;
  /** I(task; expert | token id): what is left within equal token ids. */
  readonly bitsWithinIds: number;
  readonly shuffledBitsWithinIds: number;
}

export function routingByLayer(
  documents: readonly RoutedDocument[],
  shape: { readonly nLayers: number; readonly nExperts: number; readonly nUsed: number },
  chance: Chance,
  nShuffles = 20,
): LayerRouting[] {
  const labels = documents.map(({ task }) => task);
  const shuffles = Array.from({ length: nShuffles }, () => chance.shuffle(labels));
  return Array.from({ length: shape.nLayers }, (_, layer) => {
    const choices = documents.map((document) => choicesOf(document, layer, shape));
    const most = (within: boolean) => Math.max(...shuffles.map((tasks) => information(choices, tasks, within)));
    return {
      layer,
      load: loadOf(choices, shape.nExperts),
      bits: information(choices, labels, false),
      shuffledBits: most(false),
      bitsWithinIds: information(choices, labels, true),
      shuffledBitsWithinIds: most(true),
    };
  });
}

interface Choice {
  readonly id: number;
  readonly expert: number;
}

function choicesOf(document: RoutedDocument, layer: number, { nLayers, nUsed }: { nLayers: number; nUsed: number }): Choice[] {
  return document.ids.flatMap((id, token) => {
    const start = (token * nLayers + layer) * nUsed;
    return Array.from(document.routing.subarray(start, start + nUsed), (expert) => ({ id, expert }));
  });
}

function loadOf(choices: readonly (readonly Choice[])[], nExperts: number): number {
  const counts = new Array<number>(nExperts).fill(0);
  let total = 0;
  for (const document of choices)
    for (const { expert } of document) {
      counts[expert]++;
      total++;
    }
  return total === 0 ? 0 : Math.max(...counts) / (total / nExperts);
}

/** I(task; expert), or its mean over token ids weighted by how often each comes. */
function information(choices: readonly (readonly Choice[])[], tasks: readonly string[], withinIds: boolean): number {
  const groups = new Map<number, Joint>();
  choices.forEach((document, d) => {
    for (const { id, expert } of document) {
      const key = withinIds ? id : -1;
      let joint = groups.get(key);
      if (!joint) groups.set(key, (joint = new Joint()));
      joint.add(tasks[d], expert);
    }
  });
  const all = [...groups.values()];
  const total = all.reduce((sum, joint) => sum + joint.total, 0);
  return all.reduce((sum, joint) => sum + (joint.total / total) * joint.bits(), 0);
}

class Joint {
  readonly #both = new Map<string, Map<number, number>>();
  readonly #experts = new Map<number, number>();
  total = 0;

  add(task: string, expert: number): void {
    let experts = this.#both.get(task);
    if (!experts) this.#both.set(task, (experts = new Map()));
    experts.set(expert, (experts.get(expert) ?? 0) + 1);
    this.#experts.set(expert, (this.#experts.get(expert) ?? 0) + 1);
    this.total++;
  }

  bits(): number {
    let sum = 0;
    for (const experts of this.#both.values()) {
      const ofTask = [...experts.values()].reduce((a, b) => a + b, 0);
      for (const [expert, count] of experts)
        sum += (count / this.total) * Math.log2((count * this.total) / (ofTask * this.#experts.get(expert)!));
    }
    return sum;
  }
}

export function routingText(layers: readonly LayerRouting[]): string {
  const bits = (x: number) => x.toFixed(4).padStart(9);
  const lines = layers.map(
    ({ layer, load, ...l }) =>
      `${String(layer).padStart(5)}  ${load.toFixed(2).padStart(8)} ${bits(l.bits)} ${bits(l.shuffledBits)}   ${bits(l.bitsWithinIds)} ${bits(l.shuffledBitsWithinIds)}`,
  );
  return ['layer  max/mean  I(t;e)   shuffled   I(t;e|id)  shuffled   (bits)', ...lines].join('\n');
}
