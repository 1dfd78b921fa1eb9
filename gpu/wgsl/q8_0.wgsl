// Q8_0, planes: i8 quants (2 vec4 a unit), f16 scales (8 a vec4). w = d·q. See gpu/quant/q8-0.ts.
fn q8_0_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units * 2u + (unit >> 3u));
  return unpack2x16float(scales[(unit >> 1u) & 3u] >> ((unit & 1u) * 16u)).x;
}

fn q8_0_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = q8_0_scale(base, n_units, unit);
  let a = w_read(base + unit * 2u);
  let b = w_read(base + unit * 2u + 1u);
  return array<vec4<f32>, 8>(
    i8x4(a.x) * d, i8x4(a.y) * d, i8x4(a.z) * d, i8x4(a.w) * d,
    i8x4(b.x) * d, i8x4(b.y) * d, i8x4(b.z) * d, i8x4(b.w) * d);
}

fn q8_0_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let a = w_read(base + unit * 2u);
  let b = w_read(base + unit * 2u + 1u);
  var sum = i8x4(a.x) * (*x)[0];
  sum += i8x4(a.y) * (*x)[1];
  sum += i8x4(a.z) * (*x)[2];
  sum += i8x4(a.w) * (*x)[3];
  sum += i8x4(b.x) * (*x)[4];
  sum += i8x4(b.y) * (*x)[5];
  sum += i8x4(b.z) * (*x)[6];
  sum += i8x4(b.w) * (*x)[7];
  return q8_0_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
