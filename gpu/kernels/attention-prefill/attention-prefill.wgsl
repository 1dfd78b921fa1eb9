// out[t, h, :] = softmax(q[t, h]·K[g]ᵀ · scale) · V[g] over the keys up to the token's own position, and above it − window (online softmax).
// One invocation per (token, query head); a workgroup's lanes share the key/value head, so that all read the same key at the same time.
// Keys are taken in tiles of KEYS at absolute borders. The running output lives in `out` itself: no T×T matrix, no barrier.
struct Params {
  heads_per_kv: u32, // H / G
  n_kv_heads: u32,
  eights: u32, // of elements in a key: Hd / 8
  context_tokens: u32,
  scales_at: u32, // word where the scales of q8_0 start
  scale: f32,
  window: u32, // positions that a token sees
  sinks_at: u32, // element of vectors, where there are sinks
}
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> queries: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> keys: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> values: array<vec4<u32>>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;

const KEYS = 16u;
const LOWEST = -3.4028234e38;

fn kv_read4(is_value: bool, i: u32) -> vec4<u32> {
  if (is_value) {
    return values[i];
  }
  return keys[i];
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let heads = params.heads_per_kv;
  let eights = params.eights;
  let kv_head = group.x;
  let n_rows = chunk.n_tokens * heads;
  let first = group.y * LANES;
  let index = min(first + lane, n_rows - 1u);
  let token = index / heads;
  let position = chunk.start_position + token;
  let at = ((token * params.n_kv_heads + kv_head) * heads + index % heads) * (2u * eights);
  let is_row = first + lane < n_rows;
  let kv_start = kv_head * params.context_tokens;
  // Uniform for the workgroup: its last token and the end of the keys that any of its rows sees.
  let last_token = min((first + LANES - 1u) / heads, chunk.n_tokens - 1u);
  let end = chunk.start_position + last_token + 1u;
  let first_position = chunk.start_position + first / heads;
  let first_tile = (first_position - min(first_position, params.window - 1u)) / KEYS;

  let start = before_keys(kv_head * heads + index % heads);
  var highest = start.x;
  var sum = start.y;
  for (var tile = first_tile; tile * KEYS < end; tile++) {
    let key = tile * KEYS;
    let n_keys = min(KEYS, end - key); // later keys have no weight in any row, so leaving them out changes nothing
    var weight = array<f32, KEYS>(); // written out: Dawn in npm webgpu 0.6.2 zeroes a bare `var` once, not per iteration
    for (var i = 0u; i < eights; i++) {
      let qa = queries[at + 2u * i];
      let qb = queries[at + 2u * i + 1u];
      for (var j = 0u; j < n_keys; j++) {
        let k = kv_load8(false, kv_start + key + j, i);
        weight[j] += dot(qa, k[0]) + dot(qb, k[1]);
      }
    }
    var tile_highest = highest;
    for (var j = 0u; j < n_keys; j++) {
      weight[j] = select(LOWEST, weight[j] * params.scale, key + j <= position && position - (key + j) < params.window);
      tile_highest = max(tile_highest, weight[j]);
    }
    let shrink = exp(highest - tile_highest);
    highest = tile_highest;
    sum *= shrink;
    for (var j = 0u; j < n_keys; j++) {
      weight[j] = select(exp(weight[j] - highest), 0.0, weight[j] == LOWEST); // before the window nothing may be higher
      sum += weight[j];
    }
    for (var i = 0u; i < eights; i++) {
      var mixed = mat2x4<f32>();
      if (tile > first_tile) {
        mixed = mat2x4<f32>(out[at + 2u * i] * shrink, out[at + 2u * i + 1u] * shrink);
      }
      for (var j = 0u; j < n_keys; j++) {
        mixed += weight[j] * kv_load8(true, kv_start + key + j, i);
      }
      if (is_row) {
        out[at + 2u * i] = mixed[0];
        out[at + 2u * i + 1u] = mixed[1];
      }
    }
  }
  if (is_row) {
    for (var i = 0u; i < 2u * eights; i++) {
      out[at + i] /= sum;
    }
  }
}
