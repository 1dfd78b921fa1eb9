const WIDTH_VEC4: u32 = 32u;
const WEIGHT_OFFSET: u32 = 7u;
const EPSILON: f32 = 0.00001f;
// The chunk that is being prefilled, written once per chunk: T tokens at absolute positions start_position ….
// Matrix rows of tokens are read from `first_row` on (0 but for the head, which takes a chunk in pieces).
struct Chunk {
  n_tokens: u32,
  start_position: u32,
  first_row: u32,
  reserved: u32,
}
@group(0) @binding(0) var<uniform> chunk: Chunk;
// out[t, d] = x[t, d] / rms(x[t, :]) · weight[d]. One workgroup per token; every invocation sums the whole row by itself: the loads
// have one address for the whole workgroup, which is cheaper than a barrier on every adapter measured.
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<vec4<f32>>;

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = group.x * WIDTH_VEC4;
  var squares = vec4<f32>();
  for (var i = 0u; i < WIDTH_VEC4; i++) {
    let v = x[row + i];
    squares += v * v;
  }
  let sum = (squares.x + squares.y) + (squares.z + squares.w);
  let scale = 1.0 / sqrt(sum / f32(4u * WIDTH_VEC4) + EPSILON);
  for (var i = lane; i < WIDTH_VEC4; i += 32u) {
    let w = WEIGHT_OFFSET + 4u * i;
    out[row + i] = x[row + i] * scale * vec4<f32>(weight[w], weight[w + 1u], weight[w + 2u], weight[w + 3u]);
  }
}
