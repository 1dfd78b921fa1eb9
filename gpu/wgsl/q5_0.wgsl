// Q5_0, planes: nibbles (1 vec4 a unit: weights 0…15 low, 16…31 high), fifth bits (one word a unit, bit i of weight i), f16 scales (8 a vec4).
// w = d·(q − 16). See gpu/quant/q5-0.ts.
fn q5_0_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units + ((n_units + 3u) >> 2u) + (unit >> 3u));
  return unpack2x16float(scales[(unit >> 1u) & 3u] >> ((unit & 1u) * 16u)).x;
}

fn q5_0_high(base: u32, n_units: u32, unit: u32) -> u32 {
  return w_read(base + n_units + (unit >> 2u))[unit & 3u];
}

// Four weights of the low nibbles of a word and the lowest four bits of another.
fn q5_0_quants(low: u32, high: u32) -> vec4<f32> {
  let l = (vec4<i32>(bitcast<i32>(low)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<i32>(15);
  let h = (vec4<i32>(bitcast<i32>(high)) << vec4<u32>(4u, 3u, 2u, 1u)) & vec4<i32>(16);
  return vec4<f32>(l | h) - 16.0;
}

fn q5_0_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = q5_0_scale(base, n_units, unit);
  let b = q5_0_high(base, n_units, unit);
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    q5_0_quants(q.x, b) * d, q5_0_quants(q.y, b >> 4u) * d, q5_0_quants(q.z, b >> 8u) * d, q5_0_quants(q.w, b >> 12u) * d,
    q5_0_quants(h.x, b >> 16u) * d, q5_0_quants(h.y, b >> 20u) * d, q5_0_quants(h.z, b >> 24u) * d, q5_0_quants(h.w, b >> 28u) * d);
}

fn q5_0_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let b = q5_0_high(base, n_units, unit);
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  var sum = q5_0_quants(q.x, b) * (*x)[0];
  sum += q5_0_quants(q.y, b >> 4u) * (*x)[1];
  sum += q5_0_quants(q.z, b >> 8u) * (*x)[2];
  sum += q5_0_quants(q.w, b >> 12u) * (*x)[3];
  sum += q5_0_quants(h.x, b >> 16u) * (*x)[4];
  sum += q5_0_quants(h.y, b >> 20u) * (*x)[5];
  sum += q5_0_quants(h.z, b >> 24u) * (*x)[6];
  sum += q5_0_quants(h.w, b >> 28u) * (*x)[7];
  return q5_0_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
