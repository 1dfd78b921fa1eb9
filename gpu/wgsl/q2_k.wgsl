// Q2_K, planes over blocks of 8 units: scales (1 vec4, a byte per 16 weights: sc low, mn high), numbers (4 vec4, 2 for four units), f16 d and dmin (one
// word a block). w = (d·sc)·q − (dmin·mn). See gpu/quant/q2-k.ts.
fn q2_k_scales(base: u32, n_units: u32, unit: u32) -> vec4<f32> {
  let block = unit >> 3u;
  let group = unit & 7u;
  let pair = w_read(base + block)[group >> 1u] >> ((group & 1u) * 16u);
  let dm = unpack2x16float(w_read(base + (n_units >> 3u) * 5u + (block >> 2u))[block & 3u]);
  let packed = (vec4<i32>(bitcast<i32>(pair)) >> vec4<u32>(0u, 4u, 8u, 12u)) & vec4<i32>(15);
  return dm.xyxy * vec4<f32>(packed);
}

fn q2_k_quants(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<i32>(3));
}

fn q2_k_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = unit >> 3u;
  let group = unit & 7u;
  let s = q2_k_scales(base, n_units, unit);
  let qs = base + (n_units >> 3u) + block * 4u + (group >> 2u) * 2u;
  let a = w_read(qs) >> vec4<u32>((group & 3u) * 2u);
  let b = w_read(qs + 1u) >> vec4<u32>((group & 3u) * 2u);
  return array<vec4<f32>, 8>(
    q2_k_quants(a.x) * s.x - s.y, q2_k_quants(a.y) * s.x - s.y, q2_k_quants(a.z) * s.x - s.y, q2_k_quants(a.w) * s.x - s.y,
    q2_k_quants(b.x) * s.z - s.w, q2_k_quants(b.y) * s.z - s.w, q2_k_quants(b.z) * s.z - s.w, q2_k_quants(b.w) * s.z - s.w);
}

fn q2_k_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let block = unit >> 3u;
  let group = unit & 7u;
  let s = q2_k_scales(base, n_units, unit);
  let qs = base + (n_units >> 3u) + block * 4u + (group >> 2u) * 2u;
  let a = w_read(qs) >> vec4<u32>((group & 3u) * 2u);
  let b = w_read(qs + 1u) >> vec4<u32>((group & 3u) * 2u);
  var sum = (q2_k_quants(a.x) * s.x - s.y) * (*x)[0];
  sum += (q2_k_quants(a.y) * s.x - s.y) * (*x)[1];
  sum += (q2_k_quants(a.z) * s.x - s.y) * (*x)[2];
  sum += (q2_k_quants(a.w) * s.x - s.y) * (*x)[3];
  sum += (q2_k_quants(b.x) * s.z - s.w) * (*x)[4];
  sum += (q2_k_quants(b.y) * s.z - s.w) * (*x)[5];
  sum += (q2_k_quants(b.z) * s.z - s.w) * (*x)[6];
  sum += (q2_k_quants(b.w) * s.z - s.w) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
