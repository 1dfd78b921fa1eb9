// Dot products of matrix rows with an input vector: the kernel offers x_read(i) → elements 4i … 4i + 3. A worker takes four rows at a time,
// so that a unit of x is loaded once for them; each row's sum has the order that it would have alone.
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

// W[row … row + 3] · x for rows of `units` units; rows past the last give the last one's result. Every lane has the results.
fn row_dots(lanes: Lanes, kind: u32, base: u32, n_rows: u32, units: u32, row: u32) -> vec4<f32> {
  let n_units = n_rows * units;
  let starts = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(n_rows - 1u)) * units;
  var sums = vec4<f32>();
  for (var unit = lanes.lane; unit < units; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    load_x32(unit, &x);
    sums += vec4<f32>(
      w_dot32(kind, base, n_units, starts.x + unit, &x),
      w_dot32(kind, base, n_units, starts.y + unit, &x),
      w_dot32(kind, base, n_units, starts.z + unit, &x),
      w_dot32(kind, base, n_units, starts.w + unit, &x));
  }
  return lane_sum4(sums);
}
