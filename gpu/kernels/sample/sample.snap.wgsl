const WORKGROUP_SIZE: u32 = 128u;
const GROUP_ROWS: u32 = 16u;
const N_TOKENS: u32 = 1000u;
const N_GROUPS: u32 = 63u;
const RECORDS_AT: u32 = 200u;
const RECORD_WORDS: u32 = 8u;
// Words of the sequence's state buffer (gpu/README.md).
const STATE_POSITION = 0u;
const STATE_TOKEN = 1u;
const STATE_FIRST_MISS_LAYER = 2u;
const STATE_STEP = 3u;
const NO_MISS = 0xFFFFFFFFu;
// How the next token is chosen; written once per request.
struct Sampling {
  inv_temperature: f32, // 1 when greedy
  top_k: u32, // 1 … 256
  top_p: f32,
  min_p: f32,
  seed: u32,
}
// The end of a step: the ring entry for the host, and the state of the next step. A flagged miss leaves the state as it is: the host puts the
// expert in place and runs the step again from that layer. Ring entry: id, position of that id, miss layer, 0, then the routing record.
fn commit_token(id: u32) {
  let miss = state[STATE_FIRST_MISS_LAYER];
  let position = state[STATE_POSITION] + 1u;
  ring[0] = select(NO_TOKEN, id, miss == NO_MISS);
  ring[1] = position;
  ring[2] = miss;
  ring[3] = 0u;
  if (miss == NO_MISS) {
    state[STATE_TOKEN] = id;
    state[STATE_POSITION] = position;
    state[STATE_STEP] += 1u;
  }
}
const NO_TOKEN = 0xFFFFFFFFu;

// Two expert ids a word, the earlier in the low half.
fn copy_record(local: u32) {
  for (var i = local; i < (RECORD_WORDS + 1u) / 2u; i += WORKGROUP_SIZE) {
    let low = expert_rows[RECORDS_AT + 2u * i];
    var high = 0u;
    if (2u * i + 1u < RECORD_WORDS) {
      high = expert_rows[RECORDS_AT + 2u * i + 1u];
    }
    ring[4u + i] = low | (high << 16u);
  }
}
// Draws the next token; then the step is committed. One workgroup.
// 1. The N = top_k most likely tokens, exactly, ties to the lower id: the N-th greatest of the groups' maxima bounds them from below, so
//    only groups that reach it are looked into; a radix select over ordered bits finds the N-th greatest logit, and among its equals
//    (only where there are too many of them) the ids that still belong.
// 2. Sorted by counting who comes before. 3. One invocation applies top-p and min-p with the mass of the whole vocabulary and draws.
@group(0) @binding(0) var<uniform> sampling: Sampling;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [V]
@group(0) @binding(2) var<storage, read> groups: array<vec4<u32>>; // as head-matvec leaves them
@group(0) @binding(3) var<storage, read> expert_rows: array<u32>; // routing records at RECORDS_AT
@group(0) @binding(4) var<storage, read_write> state: array<u32>;
@group(0) @binding(5) var<storage, read_write> ring: array<u32>; // one entry

const MAX_CANDIDATES = 256u;
var<workgroup> maxima: array<f32, WORKGROUP_SIZE>;
var<workgroup> masses: array<f32, WORKGROUP_SIZE>;
var<workgroup> histogram: array<atomic<u32>, 256>;
var<workgroup> digits: vec2<u32>; // {found so far, how many above it are settled}
var<workgroup> n_candidates: atomic<u32>;
var<workgroup> candidate_logits: array<f32, MAX_CANDIDATES>;
var<workgroup> candidate_ids: array<u32, MAX_CANDIDATES>;
var<workgroup> sorted_logits: array<f32, MAX_CANDIDATES>;
var<workgroup> sorted_ids: array<u32, MAX_CANDIDATES>;

// The order of u32 is that of the numbers; −0 and +0 are one number.
fn ordered(value: f32) -> u32 {
  let bits = bitcast<u32>(value + 0.0);
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u && bits != 0x80000000u);
}

fn group_key(i: u32) -> u32 {
  return ordered(bitcast<f32>(groups[i].x));
}

fn count(key: u32, found: u32, shift: u32) {
  // Keys whose upper digits are those found so far; a shift by 32 is not defined, hence two.
  if (((key ^ found) >> shift) >> 8u == 0u) {
    atomicAdd(&histogram[(key >> shift) & 255u], 1u);
  }
}

fn clear_histogram(local: u32) {
  for (var i = local; i < 256u; i += WORKGROUP_SIZE) {
    atomicStore(&histogram[i], 0u);
  }
  workgroupBarrier();
}

// Settles the next digit of the wanted-th greatest key.
fn settle_digit(local: u32, wanted: u32, shift: u32) {
  workgroupBarrier();
  if (local == 0u) {
    var above = digits.y;
    var digit = 255u;
    loop {
      let here = atomicLoad(&histogram[digit]);
      if (above + here >= wanted || digit == 0u) {
        break;
      }
      above += here;
      digit--;
    }
    digits = vec2<u32>(digits.x | (digit << shift), above);
  }
  workgroupBarrier();
}

fn restart(local: u32) {
  workgroupBarrier();
  if (local == 0u) {
    digits = vec2<u32>(0u, 0u);
  }
  workgroupBarrier();
}

fn unit_draw(position: u32) -> f32 {
  return f32(mix(mix(sampling.seed + 0x9E3779B9u) + position * 0x9E3779B1u) >> 8u) / 16777216.0;
}

fn mix(x: u32) -> u32 {
  var h = (x ^ (x >> 16u)) * 0x85EBCA6Bu;
  h = (h ^ (h >> 13u)) * 0xC2B2AE35u;
  return h ^ (h >> 16u);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(local_invocation_index) local: u32) {
  copy_record(local);
  let wanted = min(min(sampling.top_k, MAX_CANDIDATES), N_TOKENS);

  // The greatest logit and the mass of the whole vocabulary relative to it.
  var greatest = -3.4028234e38;
  for (var i = local; i < N_GROUPS; i += WORKGROUP_SIZE) {
    greatest = max(greatest, bitcast<f32>(groups[i].x));
  }
  maxima[local] = greatest;
  workgroupBarrier();
  for (var i = 0u; i < WORKGROUP_SIZE; i++) {
    greatest = max(greatest, maxima[i]);
  }
  var mass = 0.0;
  for (var i = local; i < N_GROUPS; i += WORKGROUP_SIZE) {
    mass += bitcast<f32>(groups[i].z) * exp((bitcast<f32>(groups[i].x) - greatest) * sampling.inv_temperature);
  }
  masses[local] = mass;

  // A bound from the groups' maxima: 0 where there are too few groups.
  restart(local);
  for (var pass_index = 0u; pass_index < 4u; pass_index++) {
    let shift = 24u - 8u * pass_index;
    let found = digits.x;
    clear_histogram(local);
    for (var i = local; i < N_GROUPS; i += WORKGROUP_SIZE) {
      count(group_key(i), found, shift);
    }
    settle_digit(local, min(wanted, N_GROUPS), shift);
  }
  let bound = select(digits.x, 0u, N_GROUPS < wanted);

  // The wanted-th greatest logit; `above` are greater.
  restart(local);
  for (var pass_index = 0u; pass_index < 4u; pass_index++) {
    let shift = 24u - 8u * pass_index;
    let found = digits.x;
    clear_histogram(local);
    for (var i = local; i < N_GROUPS; i += WORKGROUP_SIZE) {
      if (group_key(i) >= bound) {
        for (var id = i * GROUP_ROWS; id < min((i + 1u) * GROUP_ROWS, N_TOKENS); id++) {
          count(ordered(logits[id]), found, shift);
        }
      }
    }
    settle_digit(local, wanted, shift);
  }
  let threshold = digits.x;
  let above = digits.y;

  // Of the logits equal to it the lowest ids belong; ids are negated so that the lowest is the greatest key.
  restart(local);
  for (var pass_index = 0u; pass_index < 4u; pass_index++) {
    let shift = 24u - 8u * pass_index;
    let found = digits.x;
    clear_histogram(local);
    for (var i = local; i < N_GROUPS; i += WORKGROUP_SIZE) {
      if (group_key(i) >= bound) {
        for (var id = i * GROUP_ROWS; id < min((i + 1u) * GROUP_ROWS, N_TOKENS); id++) {
          if (ordered(logits[id]) == threshold) {
            count(~id, found, shift);
          }
        }
      }
    }
    settle_digit(local, wanted - above, shift);
  }
  let last_equal = ~digits.x;

  // Exactly `wanted` tokens pass; their order comes from the sort, not from who was first.
  for (var i = local; i < N_GROUPS; i += WORKGROUP_SIZE) {
    if (group_key(i) >= bound) {
      for (var id = i * GROUP_ROWS; id < min((i + 1u) * GROUP_ROWS, N_TOKENS); id++) {
        let key = ordered(logits[id]);
        if (key > threshold || (key == threshold && id <= last_equal)) {
          let place = min(atomicAdd(&n_candidates, 1u), MAX_CANDIDATES - 1u);
          candidate_logits[place] = logits[id];
          candidate_ids[place] = id;
        }
      }
    }
  }
  workgroupBarrier();
  for (var i = local; i < wanted; i += WORKGROUP_SIZE) {
    let logit = candidate_logits[i];
    let id = candidate_ids[i];
    var place = 0u;
    for (var j = 0u; j < wanted; j++) {
      let other = candidate_logits[j];
      place += u32(other > logit || (other == logit && candidate_ids[j] < id));
    }
    sorted_logits[place] = logit;
    sorted_ids[place] = id;
  }
  workgroupBarrier();
  if (local == 0u) {
    commit_token(draw(wanted, greatest));
  }
}

// By one invocation: top-p and min-p over the sorted candidates, then the inverse CDF. `masses` holds the parts of the whole mass.
fn draw(n: u32, greatest: f32) -> u32 {
  var whole = 0.0;
  for (var i = 0u; i < WORKGROUP_SIZE; i++) {
    whole += masses[i];
  }
  let first = exp((sorted_logits[0] - greatest) * sampling.inv_temperature) / whole;
  var kept_mass = 0.0;
  var n_kept = 0u;
  for (var i = 0u; i < n; i++) {
    let probability = exp((sorted_logits[i] - greatest) * sampling.inv_temperature) / whole;
    let stays = (sampling.top_p >= 1.0 || kept_mass < sampling.top_p) && probability >= sampling.min_p * first;
    if (i > 0u && !stays) {
      break; // probabilities fall: no later one stays either
    }
    kept_mass += probability;
    n_kept = i + 1u;
  }
  let wanted_mass = unit_draw(state[STATE_POSITION] + 1u) * kept_mass;
  var cumulative = 0.0;
  for (var i = 0u; i < n_kept; i++) {
    cumulative += exp((sorted_logits[i] - greatest) * sampling.inv_temperature) / whole;
    if (cumulative > wanted_mass) {
      return sorted_ids[i];
    }
  }
  return sorted_ids[n_kept - 1u];
}
