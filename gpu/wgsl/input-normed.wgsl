// Dot products of matrix rows with an RMS-normed input, y = W·(x ∘ g) / sqrt(mean(x²) + ε): Σx² is summed along the same loop and the
// scale applied at the end, so the norm needs no dispatch and no barrier. The kernel offers x_read(i) and g_read(i) → elements
// 4i … 4i + 3 of the input and of the norm's weights; a row has UNITS units. A worker takes four dot products at a time, so that
// a unit of x is loaded and scaled once for them; each row's sum has the order that it would have alone.
fn load_normed32(unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  var squares = vec4<f32>();
  for (var j = 0u; j < 8u; j++) {
    let v = x_read(unit * 8u + j);
    squares += v * v;
    (*x)[j] = v * g_read(unit * 8u + j);
  }
  return (squares.x + squares.y) + (squares.z + squares.w);
}

fn norm_scale(squares: f32) -> f32 {
  return 1.0 / sqrt(squares / f32(UNITS * 32u) + EPSILON);
}

// W[row … row + 3] · norm(x); rows past the last give the last one's result. Every lane has the results.
fn normed_dots(lanes: Lanes, kind: u32, base: u32, n_rows: u32, row: u32) -> vec4<f32> {
  let n_units = n_rows * UNITS;
  let starts = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(n_rows - 1u)) * UNITS;
  var sums = vec4<f32>();
  var squares = 0.0;
  for (var unit = lanes.lane; unit < UNITS; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    squares += load_normed32(unit, &x);
    sums += vec4<f32>(
      w_dot32(kind, base, n_units, starts.x + unit, &x),
      w_dot32(kind, base, n_units, starts.y + unit, &x),
      w_dot32(kind, base, n_units, starts.z + unit, &x),
      w_dot32(kind, base, n_units, starts.w + unit, &x));
  }
  return lane_sum4(sums) * norm_scale(lane_sum(squares));
}

// Rows row and row + 1 of two matrices of one shape (gate and up): {first, second, first of the next row, second of the next row}.
fn normed_dot_pairs(lanes: Lanes, kinds: vec2<u32>, bases: vec2<u32>, n_rows: u32, row: u32) -> vec4<f32> {
  let n_units = n_rows * UNITS;
  let starts = min(vec2<u32>(row, row + 1u), vec2<u32>(n_rows - 1u)) * UNITS;
  var sums = vec4<f32>();
  var squares = 0.0;
  for (var unit = lanes.lane; unit < UNITS; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    squares += load_normed32(unit, &x);
    sums += vec4<f32>(
      w_dot32(kinds.x, bases.x, n_units, starts.x + unit, &x),
      w_dot32(kinds.y, bases.y, n_units, starts.x + unit, &x),
      w_dot32(kinds.x, bases.x, n_units, starts.y + unit, &x),
      w_dot32(kinds.y, bases.y, n_units, starts.y + unit, &x));
  }
  return lane_sum4(sums) * norm_scale(lane_sum(squares));
}
