// h_out = h_mid + W · hidden: down rows of a dense feed-forward layer, out of place.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of a shard of the down matrix [D, F]
@group(0) @binding(1) var<storage, read> hidden: array<vec4<f32>>; // [F]
@group(0) @binding(2) var<storage, read> h_mid: array<f32>; // [D]
@group(0) @binding(3) var<storage, read_write> h_out: array<f32>; // [D]

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return hidden[i];
}

fn run(lanes: Lanes, group_y: u32) {
  for (var row = 4u * lanes.worker; row < ROWS; row += 4u * lanes.n_workers) {
    let results = row_dots(lanes, 0u, 0u, ROWS, UNITS, row);
    if (lanes.lane == 0u) {
      for (var i = 0u; i < min(4u, ROWS - row); i++) {
        let at = FIRST_ROW + row + i;
        h_out[at] = h_mid[at] + results[i];
      }
    }
  }
}
