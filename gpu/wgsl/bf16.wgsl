// BF16, plane: 32 weights = 4 vec4, two weights a word, the earlier one in the low half. See gpu/quant/bf16.ts.
fn bf16_pair(lo: u32, hi: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(lo << 16u, lo & 0xFFFF0000u, hi << 16u, hi & 0xFFFF0000u));
}

fn bf16_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let at = base + unit * 4u;
  let a = w_read(at);
  let b = w_read(at + 1u);
  let c = w_read(at + 2u);
  let d = w_read(at + 3u);
  return array<vec4<f32>, 8>(
    bf16_pair(a.x, a.y), bf16_pair(a.z, a.w), bf16_pair(b.x, b.y), bf16_pair(b.z, b.w),
    bf16_pair(c.x, c.y), bf16_pair(c.z, c.w), bf16_pair(d.x, d.y), bf16_pair(d.z, d.w));
}

fn bf16_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let at = base + unit * 4u;
  let a = w_read(at);
  let b = w_read(at + 1u);
  let c = w_read(at + 2u);
  let d = w_read(at + 3u);
  var sum = bf16_pair(a.x, a.y) * (*x)[0];
  sum += bf16_pair(a.z, a.w) * (*x)[1];
  sum += bf16_pair(b.x, b.y) * (*x)[2];
  sum += bf16_pair(b.z, b.w) * (*x)[3];
  sum += bf16_pair(c.x, c.y) * (*x)[4];
  sum += bf16_pair(c.z, c.w) * (*x)[5];
  sum += bf16_pair(d.x, d.y) * (*x)[6];
  sum += bf16_pair(d.z, d.w) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
