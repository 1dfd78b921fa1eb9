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
