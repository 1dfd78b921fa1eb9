// qkv = [Wq; Wk; Wv] · norm(residual) + bias: one grid over the rows of all three, each matrix of its own tensor type.
// A worker (gpu/wgsl/lanes-*.wgsl) takes every n-th row.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of q, k, v at Q_BASE, K_BASE, V_BASE
@group(0) @binding(1) var<storage, read> vectors: array<vec4<f32>>; // norm [D] at NORM, biases at Q_BIAS, K_BIAS, V_BIAS (elements)
@group(0) @binding(2) var<storage, read> residual: array<vec4<f32>>; // [D]
@group(0) @binding(3) var<storage, read_write> qkv: array<f32>; // [(H + 2G)·Hd]

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return residual[i];
}

fn g_read(i: u32) -> vec4<f32> {
  return vectors[NORM / 4u + i];
}

fn run(lanes: Lanes, group_y: u32) {
  const ROWS = Q_ROWS + 2u * KV_ROWS;
  for (var i = lanes.worker; i < ROWS; i += lanes.n_workers) {
    var kind = Q_KIND;
    var base = Q_BASE;
    var bias = Q_BIAS;
    var n_rows = Q_ROWS;
    var row = i;
    if (i >= Q_ROWS + KV_ROWS) {
      kind = V_KIND;
      base = V_BASE;
      bias = V_BIAS;
      n_rows = KV_ROWS;
      row = i - Q_ROWS - KV_ROWS;
    } else if (i >= Q_ROWS) {
      kind = K_KIND;
      base = K_BASE;
      bias = K_BIAS;
      n_rows = KV_ROWS;
      row = i - Q_ROWS;
    }
    var result = normed_dot(lanes, kind, base, n_rows, row);
    if (HAS_BIAS) {
      result += vectors[(bias + row) / 4u][(bias + row) % 4u];
    }
    if (lanes.lane == 0u) {
      qkv[i] = result;
    }
  }
}
