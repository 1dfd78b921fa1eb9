// hidden = silu(G·x) · (U·x) with x = norm(h_mid): gate and up rows of a dense feed-forward layer.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of gate and up [F, D] at GATE_BASE, UP_BASE
@group(0) @binding(1) var<storage, read> vectors: array<vec4<f32>>; // norm [D] at NORM (elements)
@group(0) @binding(2) var<storage, read> h_mid: array<vec4<f32>>; // [D]
@group(0) @binding(3) var<storage, read_write> hidden: array<f32>; // [F]

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return h_mid[i];
}

fn g_read(i: u32) -> vec4<f32> {
  return vectors[NORM / 4u + i];
}

fn run(lanes: Lanes, group_y: u32) {
  for (var row = 2u * lanes.worker; row < WIDTH; row += 2u * lanes.n_workers) {
    let results = gated(normed_dot_pairs(lanes, vec2<u32>(GATE_KIND, UP_KIND), vec2<u32>(GATE_BASE, UP_BASE), WIDTH, row));
    if (lanes.lane == 0u) {
      hidden[row] = results.x;
      if (row + 1u < WIDTH) {
        hidden[row + 1u] = results.y;
      }
    }
  }
}
