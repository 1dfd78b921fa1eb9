// Q8_0, planes: i8 quants (2 vec4 a unit), f16 scales (8 a vec4). w = d·q. See gpu/quant/q8-0.ts.
fn q8_0_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units * 2u + (unit >> 3u));
  return unpack2x16float(scales[(unit >> 1u) & 3u] >> ((unit & 1u) * 16u)).x;
}

fn q8_0_bytes(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) << vec4<u32>(24u, 16u, 8u, 0u)) >> vec4<u32>(24u));
}

fn q8_0_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = q8_0_scale(base, n_units, unit);
  let a = w_read(base + unit * 2u);
  let b = w_read(base + unit * 2u + 1u);
  return array<vec4<f32>, 8>(
    q8_0_bytes(a.x) * d, q8_0_bytes(a.y) * d, q8_0_bytes(a.z) * d, q8_0_bytes(a.w) * d,
    q8_0_bytes(b.x) * d, q8_0_bytes(b.y) * d, q8_0_bytes(b.z) * d, q8_0_bytes(b.w) * d);
}

fn q8_0_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let a = w_read(base + unit * 2u);
  let b = w_read(base + unit * 2u + 1u);
  var sum = q8_0_bytes(a.x) * (*x)[0];
  sum += q8_0_bytes(a.y) * (*x)[1];
  sum += q8_0_bytes(a.z) * (*x)[2];
  sum += q8_0_bytes(a.w) * (*x)[3];
  sum += q8_0_bytes(b.x) * (*x)[4];
  sum += q8_0_bytes(b.y) * (*x)[5];
  sum += q8_0_bytes(b.z) * (*x)[6];
  sum += q8_0_bytes(b.w) * (*x)[7];
  return q8_0_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
