// h_mid = residual + (Wo · attention + bias): attention's output projection, out of place.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of a shard of Wo [D, H·Hd]
@group(0) @binding(1) var<storage, read> vectors: array<f32>; // bias [D] at BIAS
@group(0) @binding(2) var<storage, read> attention: array<vec4<f32>>; // [H·Hd]
@group(0) @binding(3) var<storage, read> residual: array<f32>; // [D]
@group(0) @binding(4) var<storage, read_write> h_mid: array<f32>; // [D]

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return attention[i];
}

fn run(lanes: Lanes, group_y: u32) {
  for (var row = 4u * lanes.worker; row < ROWS; row += 4u * lanes.n_workers) {
    let results = row_dots(lanes, 0u, 0u, ROWS, UNITS, row);
    if (lanes.lane == 0u) {
      for (var i = 0u; i < min(4u, ROWS - row); i++) {
        let at = FIRST_ROW + row + i;
        var result = results[i];
        if (HAS_BIAS) {
          result += vectors[BIAS + at];
        }
        h_mid[at] = result + residual[at];
      }
    }
  }
}
