// F16, plane: 32 weights = 4 vec4, two weights a word, the earlier one in the low half. See gpu/quant/f16.ts.
fn f16_pair(lo: u32, hi: u32) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(lo), unpack2x16float(hi));
}

fn f16_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let at = base + unit * 4u;
  let a = w_read(at);
  let b = w_read(at + 1u);
  let c = w_read(at + 2u);
  let d = w_read(at + 3u);
  return array<vec4<f32>, 8>(
    f16_pair(a.x, a.y), f16_pair(a.z, a.w), f16_pair(b.x, b.y), f16_pair(b.z, b.w),
    f16_pair(c.x, c.y), f16_pair(c.z, c.w), f16_pair(d.x, d.y), f16_pair(d.z, d.w));
}

fn f16_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let at = base + unit * 4u;
  let a = w_read(at);
  let b = w_read(at + 1u);
  let c = w_read(at + 2u);
  let d = w_read(at + 3u);
  var sum = f16_pair(a.x, a.y) * (*x)[0];
  sum += f16_pair(a.z, a.w) * (*x)[1];
  sum += f16_pair(b.x, b.y) * (*x)[2];
  sum += f16_pair(b.z, b.w) * (*x)[3];
  sum += f16_pair(c.x, c.y) * (*x)[4];
  sum += f16_pair(c.z, c.w) * (*x)[5];
  sum += f16_pair(d.x, d.y) * (*x)[6];
  sum += f16_pair(d.z, d.w) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
