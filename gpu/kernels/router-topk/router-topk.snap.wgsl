const N_EXPERTS: u32 = 16u;
const N_USED: u32 = 4u;
const NORMALISE: bool = true;
const WEIGHT_SCALE: f32 = 1.0f;
const SIGMOID: bool = false;
const HAS_BIAS: bool = false;
const BIAS: u32 = 0u;
const N_GROUPS: u32 = 1u;
const GROUPS_USED: u32 = 1u;
// The chunk that is being prefilled, written once per chunk: T tokens at absolute positions start_position ….
// Matrix rows of tokens are read from `first_row` on (0 but for the head, which takes a chunk in pieces).
struct Chunk {
  n_tokens: u32,
  start_position: u32,
  first_row: u32,
  reserved: u32,
}
@group(0) @binding(0) var<uniform> chunk: Chunk;
// silu(g) = g / (1 + e^-g). The exponent is held below overflow: for g < -80 the result is below 1e-33 either way.
fn silu(g: vec4<f32>) -> vec4<f32> {
  return g / (1.0 + exp(min(-g, vec4<f32>(80.0))));
}

fn sigmoid(g: f32) -> f32 {
  return 1.0 / (1.0 + exp(min(-g, 80.0)));
}

// silu(gate) · up of two rows: {gate, up, gate, up}.
fn gated(pairs: vec4<f32>) -> vec2<f32> {
  return silu(vec4<f32>(pairs.xz, 0.0, 0.0)).xy * pairs.yw;
}
// The K experts of each token: the K that stand highest in falling order, ties to the lower id, weighted by a softmax over all E or by a
// sigmoid each. One invocation per token. Rank r is the first after rank r - 1 in the order (standing falling, id rising): no list of
// what is taken is needed. What an expert stands at: gpu/reference/ops/routing.ts.
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [T, E]
@group(0) @binding(2) var<storage, read> vectors: array<f32>; // bias [E] of a sigmoid router at BIAS
@group(0) @binding(3) var<storage, read_write> ids: array<u32>; // [T, K]
@group(0) @binding(4) var<storage, read_write> weights: array<f32>; // [T, K]

const LOWEST = -3.4028234e38;
const GROUP_SIZE = N_EXPERTS / N_GROUPS;

// Of the token whose logits start at `start`: what expert e stands at, groups aside.
fn score(start: u32, e: u32) -> f32 {
  let logit = logits[start + e];
  if (!SIGMOID) {
    return logit;
  }
  return sigmoid(logit) + select(0.0, vectors[BIAS + e], HAS_BIAS);
}

// The GROUPS_USED groups whose two best experts have the greatest sums, a bit each; ties to the lower group.
fn choose_groups(start: u32) -> u32 {
  var sums: array<f32, N_GROUPS>;
  for (var g = 0u; g < N_GROUPS; g++) {
    var best = LOWEST;
    var second = LOWEST;
    for (var e = g * GROUP_SIZE; e < (g + 1u) * GROUP_SIZE; e++) {
      let its = score(start, e);
      second = max(second, min(best, its));
      best = max(best, its);
    }
    sums[g] = best + second;
  }
  var chosen = 0u;
  for (var n = 0u; n < GROUPS_USED; n++) {
    var best = N_GROUPS;
    for (var g = 0u; g < N_GROUPS; g++) {
      if (((chosen >> g) & 1u) == 0u && (best == N_GROUPS || sums[g] > sums[best])) {
        best = g;
      }
    }
    chosen |= 1u << min(best, N_GROUPS - 1u);
  }
  return chosen;
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x;
  if (token >= chunk.n_tokens) {
    return;
  }
  let start = token * N_EXPERTS;
  var groups = 1u;
  if (N_GROUPS > 1u) {
    groups = choose_groups(start);
  }
  var highest = LOWEST;
  for (var e = 0u; e < N_EXPERTS; e++) {
    highest = max(highest, logits[start + e]);
  }
  var sum = 0.0;
  if (!NORMALISE && !SIGMOID) {
    for (var e = 0u; e < N_EXPERTS; e++) {
      sum += exp(logits[start + e] - highest);
    }
  }
  let out = token * N_USED;
  var last_value = 0.0;
  var last_id = 0u;
  for (var rank = 0u; rank < N_USED; rank++) {
    var best = N_EXPERTS;
    var best_value = LOWEST;
    for (var e = 0u; e < N_EXPERTS; e++) {
      if (N_GROUPS > 1u && ((groups >> (e / GROUP_SIZE)) & 1u) == 0u) {
        continue;
      }
      let value = score(start, e);
      let is_left = rank == 0u || value < last_value || (value == last_value && e > last_id);
      if (is_left && (best == N_EXPERTS || value > best_value)) {
        best = e;
        best_value = value;
      }
    }
    // Only logits that are not numbers leave nothing to choose: any id in range keeps the memory safe, the result is not a number anyway.
    best = min(best, N_EXPERTS - 1u);
    var weight = exp(best_value - highest);
    if (SIGMOID) {
      weight = sigmoid(logits[start + best]);
    }
    if (NORMALISE) {
      sum += weight;
    }
    ids[out + rank] = best;
    weights[out + rank] = weight;
    last_value = best_value;
    last_id = best;
  }
  if (SIGMOID) {
    sum = select(1.0, max(sum, 6.103515625e-5), NORMALISE);
  }
  for (var rank = 0u; rank < N_USED; rank++) {
    weights[out + rank] = weights[out + rank] / sum * WEIGHT_SCALE;
  }
}
