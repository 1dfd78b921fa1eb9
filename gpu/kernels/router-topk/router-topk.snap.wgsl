const N_EXPERTS: u32 = 16u;
const N_USED: u32 = 4u;
const NORMALISE: bool = true;
const WEIGHT_SCALE: f32 = 1.0f;
// The chunk that is being prefilled, written once per chunk: T tokens at absolute positions start_position ….
// Matrix rows of tokens are read from `first_row` on (0 but for the head, which takes a chunk in pieces).
struct Chunk {
  n_tokens: u32,
  start_position: u32,
  first_row: u32,
  reserved: u32,
}
@group(0) @binding(0) var<uniform> chunk: Chunk;
// The K experts of each token: softmax over all E, the K largest in falling order, ties to the lower id. One invocation per token.
// Rank r is the first logit after rank r - 1 in the order (logit falling, id rising): no list of what is taken is needed.
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [T, E]
@group(0) @binding(2) var<storage, read_write> ids: array<u32>; // [T, K]
@group(0) @binding(3) var<storage, read_write> weights: array<f32>; // [T, K]

const LOWEST = -3.4028234e38;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x;
  if (token >= chunk.n_tokens) {
    return;
  }
  let start = token * N_EXPERTS;
  var highest = LOWEST;
  for (var e = 0u; e < N_EXPERTS; e++) {
    highest = max(highest, logits[start + e]);
  }
  var sum = 0.0;
  if (!NORMALISE) {
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
      let value = logits[start + e];
      let is_left = rank == 0u || value < last_value || (value == last_value && e > last_id);
      if (is_left && (best == N_EXPERTS || value > best_value)) {
        best = e;
        best_value = value;
      }
    }
    // Only logits that are not numbers leave nothing to choose: any id in range keeps the memory safe, the result is not a number anyway.
    best = min(best, N_EXPERTS - 1u);
    let weight = exp(best_value - highest);
    if (NORMALISE) {
      sum += weight;
    }
    ids[out + rank] = best;
    weights[out + rank] = weight;
    last_value = best_value;
    last_id = best;
  }
  for (var rank = 0u; rank < N_USED; rank++) {
    weights[out + rank] = weights[out + rank] / sum * WEIGHT_SCALE;
  }
}
