// Dot products of matrix rows with an RMS-normed input, y = W·(x ∘ g) / sqrt(mean(x²) + ε): Σx² is summed along the same loop and the
// scale applied at the end, so the norm needs no dispatch and no barrier. The kernel offers x_read(i) and g_read(i) → elements
// 4i … 4i + 3 of the input and of the norm's weights; a row has UNITS units.
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

// W[row] · norm(x); every lane has the result.
fn normed_dot(lanes: Lanes, kind: u32, base: u32, n_rows: u32, row: u32) -> f32 {
  var sums = vec2<f32>();
  for (var unit = lanes.lane; unit < UNITS; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    let squares = load_normed32(unit, &x);
    sums += vec2<f32>(w_dot32(kind, base, n_rows * UNITS, row * UNITS + unit, &x), squares);
  }
  let total = lane_sum2(sums);
  return total.x * norm_scale(total.y);
}

// The same row of two matrices of one shape (gate and up).
fn normed_dot_pair(lanes: Lanes, kinds: vec2<u32>, bases: vec2<u32>, n_rows: u32, row: u32) -> vec2<f32> {
  var sums = vec3<f32>();
  for (var unit = lanes.lane; unit < UNITS; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    let squares = load_normed32(unit, &x);
    let first = w_dot32(kinds.x, bases.x, n_rows * UNITS, row * UNITS + unit, &x);
    let second = w_dot32(kinds.y, bases.y, n_rows * UNITS, row * UNITS + unit, &x);
    sums += vec3<f32>(first, second, squares);
  }
  let total = lane_sum3(sums);
  return total.xy * norm_scale(total.z);
}
