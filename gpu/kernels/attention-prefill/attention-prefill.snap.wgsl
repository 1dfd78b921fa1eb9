const LANES: u32 = 32u;
const N_HEADS: u32 = 8u;
const N_KV_HEADS: u32 = 2u;
const HEAD_WIDTH: u32 = 64u;
const CONTEXT_TOKENS: u32 = 512u;
const SCALE: f32 = 0.125f;
// The chunk that is being prefilled, written once per chunk: T tokens at absolute positions start_position ….
// Matrix rows of tokens are read from `first_row` on (0 but for the head, which takes a chunk in pieces).
struct Chunk {
  n_tokens: u32,
  start_position: u32,
  first_row: u32,
  reserved: u32,
}
@group(0) @binding(0) var<uniform> chunk: Chunk;
// out[t, h, :] = softmax(q[t, h]·K[g]ᵀ · scale) · V[g] over the keys up to the token's own position (online softmax).
// One invocation per (token, query head); a workgroup's lanes share the key/value head, so that all read the same key at the same time.
// Keys are taken in tiles of KEYS at absolute borders. The running output lives in `out` itself: no T×T matrix, no barrier.
@group(0) @binding(1) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> keys: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;

const KEYS = 16u;
const WORDS = HEAD_WIDTH / 8u; // vec4 words of eight f16 per key
const HEADS_PER_KV = N_HEADS / N_KV_HEADS;
const LOWEST = -3.4028234e38;

fn unpack8(w: vec4<u32>) -> mat2x4<f32> {
  return mat2x4<f32>(
    vec4<f32>(unpack2x16float(w.x), unpack2x16float(w.y)),
    vec4<f32>(unpack2x16float(w.z), unpack2x16float(w.w)),
  );
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let kv_head = group.x;
  let n_rows = chunk.n_tokens * HEADS_PER_KV;
  let first = group.y * LANES;
  let index = min(first + lane, n_rows - 1u);
  let token = index / HEADS_PER_KV;
  let position = chunk.start_position + token;
  let at = (token * N_HEADS + kv_head * HEADS_PER_KV + index % HEADS_PER_KV) * (2u * WORDS);
  let is_row = first + lane < n_rows;
  let kv_start = kv_head * CONTEXT_TOKENS * WORDS;
  // Uniform for the workgroup: its last token, and the last key that the chunk has written.
  let last_token = min((first + LANES - 1u) / HEADS_PER_KV, chunk.n_tokens - 1u);
  let last_key = chunk.start_position + chunk.n_tokens - 1u;
  let n_tiles = (chunk.start_position + last_token) / KEYS + 1u;

  var highest = LOWEST;
  var sum = 0.0;
  for (var tile = 0u; tile < n_tiles; tile++) {
    let key = tile * KEYS;
    var weight = array<f32, KEYS>(); // written out: Dawn in npm webgpu 0.6.2 zeroes a bare `var` once, not per iteration
    for (var i = 0u; i < WORDS; i++) {
      let qa = queries[at + 2u * i];
      let qb = queries[at + 2u * i + 1u];
      for (var j = 0u; j < KEYS; j++) {
        let k = unpack8(keys[kv_start + min(key + j, last_key) * WORDS + i]);
        weight[j] += dot(qa, k[0]) + dot(qb, k[1]);
      }
    }
    var tile_highest = highest;
    for (var j = 0u; j < KEYS; j++) {
      weight[j] = select(LOWEST, weight[j] * SCALE, key + j <= position);
      tile_highest = max(tile_highest, weight[j]);
    }
    let shrink = exp(highest - tile_highest);
    highest = tile_highest;
    sum *= shrink;
    for (var j = 0u; j < KEYS; j++) {
      weight[j] = exp(weight[j] - highest);
      sum += weight[j];
    }
    for (var i = 0u; i < WORDS; i++) {
      var mixed = mat2x4<f32>();
      if (tile > 0u) {
        mixed = mat2x4<f32>(out[at + 2u * i] * shrink, out[at + 2u * i + 1u] * shrink);
      }
      for (var j = 0u; j < KEYS; j++) {
        mixed += weight[j] * unpack8(values[kv_start + min(key + j, last_key) * WORDS + i]);
      }
      if (is_row) {
        out[at + 2u * i] = mixed[0];
        out[at + 2u * i + 1u] = mixed[1];
      }
    }
  }
  if (is_row) {
    for (var i = 0u; i < 2u * WORDS; i++) {
      out[at + i] /= sum;
    }
  }
}
