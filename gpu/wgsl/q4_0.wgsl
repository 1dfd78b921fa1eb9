// Q4_0, planes: nibbles (1 vec4 a unit: weights 0…15 low, 16…31 high), f16 scales (8 a vec4). w = d·(q − 8). See gpu/quant/q4-0.ts.
fn q4_0_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units + (unit >> 3u));
  return unpack2x16float(scales[(unit >> 1u) & 3u] >> ((unit & 1u) * 16u)).x;
}

fn q4_0_low(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<i32>(15)) - 8.0;
}

fn q4_0_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = q4_0_scale(base, n_units, unit);
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    q4_0_low(q.x) * d, q4_0_low(q.y) * d, q4_0_low(q.z) * d, q4_0_low(q.w) * d,
    q4_0_low(h.x) * d, q4_0_low(h.y) * d, q4_0_low(h.z) * d, q4_0_low(h.w) * d);
}

fn q4_0_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  var sum = q4_0_low(q.x) * (*x)[0];
  sum += q4_0_low(q.y) * (*x)[1];
  sum += q4_0_low(q.z) * (*x)[2];
  sum += q4_0_low(q.w) * (*x)[3];
  sum += q4_0_low(h.x) * (*x)[4];
  sum += q4_0_low(h.y) * (*x)[5];
  sum += q4_0_low(h.z) * (*x)[6];
  sum += q4_0_low(h.w) * (*x)[7];
  return q4_0_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
