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
