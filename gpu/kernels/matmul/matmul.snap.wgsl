const LANES: u32 = 32u;
const TILE_TOKENS: u32 = 16u;
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
// A unit of activations and its product with a unit of weights. The order of additions inside a unit is this one everywhere in prefill.
fn x_load32(i: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>(x[i], x[i + 1u], x[i + 2u], x[i + 3u], x[i + 4u], x[i + 5u], x[i + 6u], x[i + 7u]);
}

fn unit_dot(w: array<vec4<f32>, 8>, v: array<vec4<f32>, 8>) -> f32 {
  return ((dot(w[0], v[0]) + dot(w[1], v[1])) + (dot(w[2], v[2]) + dot(w[3], v[3])))
    + ((dot(w[4], v[4]) + dot(w[5], v[5])) + (dot(w[6], v[6]) + dot(w[7], v[7])));
}
// out[t, out_col + n] = Σ_k W[n, k] · x[t, k] (+ bias[n]) (+ residual[t, n]).
// An invocation owns two rows of W and up to TILE_TOKENS tokens: 32 weights of each row are dequantised once and meet every token's
// activations, whose address is the same for the whole workgroup. Units are added in rising order, whatever the tile: no barrier.
struct Params {
  rows: u32,
  units: u32, // K / 32
  base: u32, // of W, in vec4
  x_stride: u32, // in vec4
  out_stride: u32,
  out_col: u32,
  bias: u32, // element of `vectors`, NONE when there is none
  has_residual: u32, // residual rows are as long as those of out
}
@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> weights: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> vectors: array<f32>;
@group(0) @binding(5) var<storage, read> residual: array<f32>;
@group(0) @binding(6) var<storage, read_write> out: array<f32>;

const NONE = 0xFFFFFFFFu;

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

fn store(token: u32, row: u32, sum: f32) {
  var value = sum;
  if (params.bias != NONE) {
    value += vectors[params.bias + row];
  }
  let at = token * params.out_stride + params.out_col + row;
  if (params.has_residual != 0u) {
    value += residual[at];
  }
  out[at] = value;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row_a = group.x * (2u * LANES) + lane;
  let row_b = row_a + LANES;
  let last_row = params.rows - 1u;
  let unit_a = min(row_a, last_row) * params.units;
  let unit_b = min(row_b, last_row) * params.units;
  let n_units = params.rows * params.units;
  let first_token = group.y * TILE_TOKENS;
  let n_tokens = min(chunk.n_tokens - first_token, TILE_TOKENS);
  let x_start = (chunk.first_row + first_token) * params.x_stride;

  var sums: array<vec2<f32>, TILE_TOKENS>;
  for (var unit = 0u; unit < params.units; unit++) {
    let a = w_load32(0u, params.base, n_units, unit_a + unit);
    let b = w_load32(0u, params.base, n_units, unit_b + unit);
    var at = x_start + unit * 8u;
    for (var j = 0u; j < n_tokens; j++) {
      let v = x_load32(at);
      sums[j] += vec2<f32>(unit_dot(a, v), unit_dot(b, v));
      at += params.x_stride;
    }
  }
  for (var j = 0u; j < n_tokens; j++) {
    if (row_a < params.rows) {
      store(first_token + j, row_a, sums[j].x);
    }
    if (row_b < params.rows) {
      store(first_token + j, row_b, sums[j].y);
    }
  }
}
