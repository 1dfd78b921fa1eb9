// Q6_K, planes over blocks of 8 units: ql (8 vec4), qh (4 vec4), i8 scales (1 vec4, one per 16 weights), f16 d (8 a vec4).
// w = (d·sc)·(q − 32). See gpu/quant/q6-k.ts for which bits of ql and qh make a weight.
fn q6_k_scale(base: u32, n_units: u32, unit: u32) -> vec2<f32> {
  let n_blocks = n_units >> 3u;
  let block = unit >> 3u;
  let group = unit & 7u;
  let scales = w_read(base + n_blocks * 12u + block);
  let pair = bitcast<i32>(scales[group >> 1u]) << (16u - (group & 1u) * 16u);
  let ds = w_read(base + n_blocks * 13u + (block >> 3u));
  let d = unpack2x16float(ds[(block >> 1u) & 3u] >> ((block & 1u) * 16u)).x;
  return d * vec2<f32>(f32((pair << 8u) >> 24u), f32(pair >> 24u));
}

fn q6_k_quants(low: u32, high: u32) -> vec4<f32> {
  let spread = vec4<u32>(0u, 8u, 16u, 24u);
  let l = (vec4<i32>(bitcast<i32>(low)) >> spread) & vec4<i32>(15);
  let h = (vec4<i32>(bitcast<i32>(high)) >> spread) & vec4<i32>(3);
  return vec4<f32>(l | (h << vec4<u32>(4u))) - 32.0;
}

fn q6_k_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = unit >> 3u;
  let group = unit & 7u;
  let half = group >> 2u;
  let j = group & 3u;
  let ds = q6_k_scale(base, n_units, unit);
  let ql = base + block * 8u + half * 4u + (j & 1u) * 2u;
  let qh = base + (n_units >> 3u) * 8u + block * 4u + half * 2u;
  let a = w_read(ql) >> vec4<u32>((j >> 1u) * 4u);
  let b = w_read(ql + 1u) >> vec4<u32>((j >> 1u) * 4u);
  let c = w_read(qh) >> vec4<u32>(j * 2u);
  let d = w_read(qh + 1u) >> vec4<u32>(j * 2u);
  return array<vec4<f32>, 8>(
    q6_k_quants(a.x, c.x) * ds.x, q6_k_quants(a.y, c.y) * ds.x, q6_k_quants(a.z, c.z) * ds.x, q6_k_quants(a.w, c.w) * ds.x,
    q6_k_quants(b.x, d.x) * ds.y, q6_k_quants(b.y, d.y) * ds.y, q6_k_quants(b.z, d.z) * ds.y, q6_k_quants(b.w, d.w) * ds.y);
}

fn q6_k_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let block = unit >> 3u;
  let group = unit & 7u;
  let half = group >> 2u;
  let j = group & 3u;
  let ds = q6_k_scale(base, n_units, unit);
  let ql = base + block * 8u + half * 4u + (j & 1u) * 2u;
  let qh = base + (n_units >> 3u) * 8u + block * 4u + half * 2u;
  let a = w_read(ql) >> vec4<u32>((j >> 1u) * 4u);
  let b = w_read(ql + 1u) >> vec4<u32>((j >> 1u) * 4u);
  let c = w_read(qh) >> vec4<u32>(j * 2u);
  let d = w_read(qh + 1u) >> vec4<u32>(j * 2u);
  var first = q6_k_quants(a.x, c.x) * (*x)[0];
  first += q6_k_quants(a.y, c.y) * (*x)[1];
  first += q6_k_quants(a.z, c.z) * (*x)[2];
  first += q6_k_quants(a.w, c.w) * (*x)[3];
  var second = q6_k_quants(b.x, d.x) * (*x)[4];
  second += q6_k_quants(b.y, d.y) * (*x)[5];
  second += q6_k_quants(b.z, d.z) * (*x)[6];
  second += q6_k_quants(b.w, d.w) * (*x)[7];
  let sum = first * ds.x + second * ds.y;
  return (sum.x + sum.y) + (sum.z + sum.w);
}
