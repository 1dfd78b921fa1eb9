// qkv = [Wq; Wk; Wv] · norm(residual) + bias: one grid over the rows of all three, each matrix of its own tensor type.
// A worker (gpu/wgsl/lanes-*.wgsl) takes every n-th block of four rows.
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
  const Q_BLOCKS = (Q_ROWS + 3u) / 4u;
  const KV_BLOCKS = (KV_ROWS + 3u) / 4u;
  for (var block = lanes.worker; block < Q_BLOCKS + 2u * KV_BLOCKS; block += lanes.n_workers) {
    var kind = Q_KIND;
    var base = Q_BASE;
    var bias = Q_BIAS;
    var n_rows = Q_ROWS;
    var row = 4u * block;
    var out_at = 0u;
    if (block >= Q_BLOCKS + KV_BLOCKS) {
      kind = V_KIND;
      base = V_BASE;
      bias = V_BIAS;
      n_rows = KV_ROWS;
      row = 4u * (block - Q_BLOCKS - KV_BLOCKS);
      out_at = Q_ROWS + KV_ROWS;
    } else if (block >= Q_BLOCKS) {
      kind = K_KIND;
      base = K_BASE;
      bias = K_BIAS;
      n_rows = KV_ROWS;
      row = 4u * (block - Q_BLOCKS);
      out_at = Q_ROWS;
    }
    let results = normed_dots(lanes, kind, base, n_rows, row);
    if (lanes.lane == 0u) {
      for (var i = 0u; i < min(4u, n_rows - row); i++) {
        var result = results[i];
        if (HAS_BIAS) {
          result += vectors[(bias + row + i) / 4u][(bias + row + i) % 4u];
        }
        qkv[out_at + row + i] = result;
      }
    }
  }
}
