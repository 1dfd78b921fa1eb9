const UNITS: u32 = 3u;
const SCALE: f32 = 1.0f;
// F32, plane: 32 weights = 8 vec4. See gpu/quant/f32.ts.
fn f32_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let at = base + unit * 8u;
  return array<vec4<f32>, 8>(
    bitcast<vec4<f32>>(w_read(at)), bitcast<vec4<f32>>(w_read(at + 1u)),
    bitcast<vec4<f32>>(w_read(at + 2u)), bitcast<vec4<f32>>(w_read(at + 3u)),
    bitcast<vec4<f32>>(w_read(at + 4u)), bitcast<vec4<f32>>(w_read(at + 5u)),
    bitcast<vec4<f32>>(w_read(at + 6u)), bitcast<vec4<f32>>(w_read(at + 7u)));
}

fn f32_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let at = base + unit * 8u;
  var sum = bitcast<vec4<f32>>(w_read(at)) * (*x)[0];
  sum += bitcast<vec4<f32>>(w_read(at + 1u)) * (*x)[1];
  sum += bitcast<vec4<f32>>(w_read(at + 2u)) * (*x)[2];
  sum += bitcast<vec4<f32>>(w_read(at + 3u)) * (*x)[3];
  sum += bitcast<vec4<f32>>(w_read(at + 4u)) * (*x)[4];
  sum += bitcast<vec4<f32>>(w_read(at + 5u)) * (*x)[5];
  sum += bitcast<vec4<f32>>(w_read(at + 6u)) * (*x)[6];
  sum += bitcast<vec4<f32>>(w_read(at + 7u)) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
fn w_load32(kind: u32, base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  return f32_load32(base, n_units, unit);
}
fn w_dot32(kind: u32, base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  return f32_dot32(base, n_units, unit, x);
}
// The chunk that is being prefilled, written once per chunk: T tokens at absolute positions start_position ….
// Matrix rows of tokens are read from `first_row` on (0 but for the head, which takes a chunk in pieces).
struct Chunk {
  n_tokens: u32,
  start_position: u32,
  first_row: u32,
  reserved: u32,
}
@group(0) @binding(0) var<uniform> chunk: Chunk;
// out[t, :] = SCALE · embedding[tokens[t], :]. One invocation per unit of 32 weights; a shard writes the rows that it holds.
struct Params {
  first_row: u32,
  rows: u32,
}
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> tokens: array<u32>;
@group(0) @binding(4) var<storage, read_write> out: array<vec4<f32>>;

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let token = id.x / UNITS;
  if (token >= chunk.n_tokens) {
    return;
  }
  let row = tokens[token] - params.first_row; // wraps below first_row
  if (row >= params.rows) {
    return;
  }
  let unit = id.x % UNITS;
  var w = w_load32(0u, 0u, params.rows * UNITS, row * UNITS + unit);
  for (var j = 0u; j < 8u; j++) {
    out[(token * UNITS + unit) * 8u + j] = SCALE * w[j];
  }
}
