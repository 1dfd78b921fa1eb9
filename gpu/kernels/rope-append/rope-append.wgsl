// Clamp, q/k norm and RoPE of a chunk's q | k | v rows; q goes to `queries`, k and v are appended to the cache, in whose type kv_append says.
// One workgroup per token and norm group (a head, or the whole row of q, k or v): every invocation sums the group by itself, no barrier.
@group(0) @binding(1) var<storage, read> qkv: array<f32>;
@group(0) @binding(2) var<storage, read> vectors: array<f32>;
@group(0) @binding(3) var<storage, read> globals: array<f32>;
@group(0) @binding(4) var<storage, read_write> queries: array<vec2<f32>>;
@group(0) @binding(5) var<storage, read_write> keys: array<u32>;
@group(0) @binding(6) var<storage, read_write> values: array<u32>;

const ROW_WIDTH = (N_HEADS + 2u * N_KV_HEADS) * HEAD_WIDTH;

fn inverse_rms(g: Group) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < g.width; i++) {
    let v = element(g, i);
    sum += v * v;
  }
  return 1.0 / sqrt(sum / f32(g.width) + EPSILON);
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let token = group.y;
  let position = chunk.start_position + token;
  let row = token * ROW_WIDTH;
  if (group.x < Q_GROUPS) {
    const WIDTH = N_HEADS * HEAD_WIDTH / Q_GROUPS;
    let first = group.x * WIDTH;
    var g = Group(row + first, WIDTH, Q_NORM, 1.0);
    if (HAS_NORM) {
      g.scale = inverse_rms(g);
    }
    for (var word = lane; word < WIDTH / 2u; word += 32u) {
      queries[(token * (N_HEADS * HEAD_WIDTH) + first) / 2u + word] = rotated(g, word, f32(position));
    }
    return;
  }
  const KV_WIDTH = N_KV_HEADS * HEAD_WIDTH / KV_GROUPS;
  let index = group.x - Q_GROUPS;
  let is_value = index >= KV_GROUPS;
  let first = select(index, index - KV_GROUPS, is_value) * KV_WIDTH;
  var g = Group(row + (N_HEADS + select(0u, N_KV_HEADS, is_value)) * HEAD_WIDTH + first, KV_WIDTH, K_NORM, 1.0);
  if (HAS_NORM && !is_value) {
    g.scale = inverse_rms(g);
  }
  for (var unit = lane; unit < KV_WIDTH / KV_UNIT; unit += 32u) {
    let head = (first + KV_UNIT * unit) / HEAD_WIDTH;
    kv_append(is_value, g, unit, position, head * CONTEXT_TOKENS + position, true);
  }
}
