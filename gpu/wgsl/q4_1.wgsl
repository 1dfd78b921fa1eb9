// Q4_1, planes: nibbles (1 vec4 a unit: weights 0…15 low, 16…31 high), f16 d and m (one word a unit). w = d·q + m. See gpu/quant/q4-1.ts.
fn q4_1_scale(base: u32, n_units: u32, unit: u32) -> vec2<f32> {
  return unpack2x16float(w_read(base + n_units + (unit >> 2u))[unit & 3u]);
}

fn q4_1_low(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<i32>(15));
}

fn q4_1_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let dm = q4_1_scale(base, n_units, unit);
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    q4_1_low(q.x) * dm.x + dm.y, q4_1_low(q.y) * dm.x + dm.y, q4_1_low(q.z) * dm.x + dm.y, q4_1_low(q.w) * dm.x + dm.y,
    q4_1_low(h.x) * dm.x + dm.y, q4_1_low(h.y) * dm.x + dm.y, q4_1_low(h.z) * dm.x + dm.y, q4_1_low(h.w) * dm.x + dm.y);
}

fn q4_1_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let dm = q4_1_scale(base, n_units, unit);
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  var sum = (q4_1_low(q.x) * dm.x + dm.y) * (*x)[0];
  sum += (q4_1_low(q.y) * dm.x + dm.y) * (*x)[1];
  sum += (q4_1_low(q.z) * dm.x + dm.y) * (*x)[2];
  sum += (q4_1_low(q.w) * dm.x + dm.y) * (*x)[3];
  sum += (q4_1_low(h.x) * dm.x + dm.y) * (*x)[4];
  sum += (q4_1_low(h.y) * dm.x + dm.y) * (*x)[5];
  sum += (q4_1_low(h.z) * dm.x + dm.y) * (*x)[6];
  sum += (q4_1_low(h.w) * dm.x + dm.y) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
