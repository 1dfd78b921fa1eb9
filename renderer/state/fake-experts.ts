/** Experts that act out an answer: skewed, the same in every run. Development and tests only. */
import type { AnswerExperts, ExpertActivity } from '../../main/contract/experts.ts';

const N_LAYERS = 24;
const N_EXPERTS = 64;
const N_USED = 8;
const MIB = 2 ** 20;

export class FakeExperts {
  #answerId = '';
  #tokens = 0;
  #uses: number[][] = [];
  current: AnswerExperts | null = null;

  /** One more token of the answer. */
  token(answerId: string, modelName: string): AnswerExperts {
    if (answerId !== this.#answerId) {
      this.#answerId = answerId;
      this.#tokens = 0;
      this.#uses = Array.from({ length: N_LAYERS }, () => new Array<number>(N_EXPERTS).fill(0));
    }
    const token = this.#tokens++;
    this.#uses.forEach((uses, layer) => {
      for (let rank = 0; rank < N_USED; rank++) uses[chosen(token, layer, rank)]++;
    });
    this.current = { answerId, modelName, activity: this.#activity() };
    return this.current;
  }

  #activity(): ExpertActivity {
    const all = this.#tokens * N_LAYERS * N_USED;
    const missesFromDisk = Math.floor(all / 90);
    const missesFromRam = Math.floor(all / 17);
    const gpuMemory = {
      weightsBytes: 1130 * MIB,
      expertsBytes: 5870 * MIB,
      kvBytes: 402 * MIB,
      activationsBytes: 61 * MIB,
      stagingBytes: 64 * MIB,
      totalBytes: 7527 * MIB,
    };
    const layers = this.#uses.map((uses, layer) => ({ layer, uses: [...uses] }));
    const hits = all - missesFromRam - missesFromDisk;
    return {
      tokens: this.#tokens,
      nUsed: N_USED,
      layers,
      usesByDepth: [],
      hits,
      missesFromRam,
      missesFromDisk,
      substitutes: 0,
      gpuMemory,
      ramPoolBytes: 4096 * MIB,
    };
  }
}

/** Low experts of a rotated order come more often, as squares of even numbers do. */
function chosen(token: number, layer: number, rank: number): number {
  const draw = ((Math.imul(token * N_LAYERS + layer + 1, 0x9e3779b1) ^ Math.imul(rank + 1, 0x85ebca6b)) >>> 0) / 2 ** 32;
  return (Math.floor(draw * draw * N_EXPERTS) + layer * 11) % N_EXPERTS;
}
