const WORKGROUP_SIZE: u32 = 32u;
const UNITS: u32 = 2u;
const SCALE: f32 = 1.0f;
// The four signed bytes of a word, the lowest first.
fn i8x4(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}
// Q8_0, planes: i8 quants (2 vec4 a unit), f16 scales (8 a vec4). w = d·q. See gpu/quant/q8-0.ts.
fn q8_0_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units * 2u + (unit >> 3u));
  return unpack2x16float(scales[(unit >> 1u) & 3u] >> ((unit & 1u) * 16u)).x;
}

fn q8_0_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = q8_0_scale(base, n_units, unit);
  let a = w_read(base + unit * 2u);
  let b = w_read(base + unit * 2u + 1u);
  return array<vec4<f32>, 8>(
    i8x4(a.x) * d, i8x4(a.y) * d, i8x4(a.z) * d, i8x4(a.w) * d,
    i8x4(b.x) * d, i8x4(b.y) * d, i8x4(b.z) * d, i8x4(b.w) * d);
}

fn q8_0_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let a = w_read(base + unit * 2u);
  let b = w_read(base + unit * 2u + 1u);
  var sum = i8x4(a.x) * (*x)[0];
  sum += i8x4(a.y) * (*x)[1];
  sum += i8x4(a.z) * (*x)[2];
  sum += i8x4(a.w) * (*x)[3];
  sum += i8x4(b.x) * (*x)[4];
  sum += i8x4(b.y) * (*x)[5];
  sum += i8x4(b.z) * (*x)[6];
  sum += i8x4(b.w) * (*x)[7];
  return q8_0_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
fn w_load32(kind: u32, base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  return q8_0_load32(base, n_units, unit);
}
fn w_dot32(kind: u32, base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  return q8_0_dot32(base, n_units, unit, x);
}
// Words of the sequence's state buffer (gpu/README.md).
const STATE_POSITION = 0u;
const STATE_TOKEN = 1u;
const STATE_FIRST_MISS_LAYER = 2u;
const STATE_STEP = 3u;
const NO_MISS = 0xFFFFFFFFu;
// residual[·] = SCALE · dequantised row `state.token` of the embedding [V, D]; a shard holds some of its rows, and the others leave at once.
// Grid: one invocation per unit of 32 elements.
struct Params {
  first_row: u32, // of the shard
  n_rows: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<vec4<u32>>; // planes of the shard
@group(0) @binding(2) var<storage, read> state: array<u32>;
@group(0) @binding(3) var<storage, read_write> residual: array<vec4<f32>>; // [D]

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = state[STATE_TOKEN] - params.first_row; // wraps below the shard
  let unit = id.x;
  if (row >= params.n_rows || unit >= UNITS) {
    return;
  }
  var values = w_load32(0u, 0u, params.n_rows * UNITS, row * UNITS + unit);
  for (var j = 0u; j < 8u; j++) {
    residual[unit * 8u + j] = SCALE * values[j];
  }
}
