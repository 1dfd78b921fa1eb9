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
