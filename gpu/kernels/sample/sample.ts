/** `sample`: temperature, top-k, top-p, min-p and one draw that is a function of (seed, position); commits the step. */
import { composeProgram } from '../../device/compose.ts';
import { invariant } from '../../invariant.ts';
import type { SamplingSettings } from '../../runtime/types.ts';
import commitToken from '../../wgsl/commit-token.wgsl';
import samplingWgsl from '../../wgsl/sampling.wgsl';
import stateWgsl from '../../wgsl/state.wgsl';
import { GROUP_ROWS } from '../head-matvec/head-matvec.ts';
import type { KernelInstance } from '../lanes.ts';
import type { SampleShape } from '../sample-greedy/sample-greedy.ts';
import { uniformWriter } from '../uniforms.ts';
import body from './sample.wgsl';

const WORKGROUP_SIZE = 128;
const MAX_CANDIDATES = 256;

/** Bindings: sampling, logits [V], groups, expert rows, state, ring entry. */
export function sampleKernel(shape: SampleShape): KernelInstance {
  const program = composeProgram({
    name: 'sample',
    body,
    bindings: ['uniform', 'read', 'read', 'read', 'read-write', 'read-write'],
    consts: {
      WORKGROUP_SIZE,
      GROUP_ROWS,
      N_TOKENS: shape.vocabularySize,
      N_GROUPS: Math.ceil(shape.vocabularySize / GROUP_ROWS),
      RECORDS_AT: shape.recordsAt,
      RECORD_WORDS: shape.recordWords,
    },
    snippets: [stateWgsl, samplingWgsl, commitToken],
  });
  return { program, grid: [1, 1, 1] };
}

const writeSampling = uniformWriter<{
  inv_temperature: number;
  top_k: number;
  top_p: number;
  min_p: number;
  seed: number;
}>(samplingWgsl, 'Sampling');

/** The sampling uniform of a request. Settings outside their range are a bug of the host. */
export function samplingBytes({ temperature, topK, topP, minP, seed }: SamplingSettings): Uint8Array<ArrayBuffer> {
  invariant(temperature >= 0 && Number.isFinite(temperature), `temperature ${temperature}`);
  invariant(Number.isInteger(topK) && topK >= 0 && topK <= MAX_CANDIDATES, `topK ${topK} is not in 0…${MAX_CANDIDATES}`);
  invariant(topP > 0 && topP <= 1, `topP ${topP} is not in (0, 1]`);
  invariant(minP >= 0 && minP < 1, `minP ${minP} is not in [0, 1)`);
  return writeSampling({
    // Below 1e-6 the distribution is a point in f32 whatever the logits; the bound keeps products finite.
    inv_temperature: temperature === 0 ? 1 : 1 / Math.max(temperature, 1e-6),
    top_k: topK === 0 ? MAX_CANDIDATES : topK,
    top_p: topP,
    min_p: minP,
    seed: seed >>> 0,
  });
}
