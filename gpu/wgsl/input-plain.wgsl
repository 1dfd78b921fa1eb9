// Dot products of matrix rows with an input vector: the kernel offers x_read(i) → elements 4i … 4i + 3; a row has `units` units.
fn load_x32(unit: u32, x: ptr<function, array<vec4<f32>, 8>>) {
  let at = unit * 8u;
  (*x)[0] = x_read(at);
  (*x)[1] = x_read(at + 1u);
  (*x)[2] = x_read(at + 2u);
  (*x)[3] = x_read(at + 3u);
  (*x)[4] = x_read(at + 4u);
  (*x)[5] = x_read(at + 5u);
  (*x)[6] = x_read(at + 6u);
  (*x)[7] = x_read(at + 7u);
}

// W[row] · x; every lane has the result.
fn row_dot(lanes: Lanes, kind: u32, base: u32, n_rows: u32, units: u32, row: u32) -> f32 {
  var sum = 0.0;
  for (var unit = lanes.lane; unit < units; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    load_x32(unit, &x);
    sum += w_dot32(kind, base, n_rows * units, row * units + unit, &x);
  }
  return lane_sum(sum);
}
