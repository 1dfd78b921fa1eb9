// MXFP4, planes: nibbles (1 vec4 a unit: weights 0…15 low, 16…31 high), e8m0 scales (a byte a unit, 16 a vec4). w = 2^(e − 128)·level, the level
// being twice a 4-bit float. See gpu/quant/mxfp4.ts. Scales of e < 2 are denormals, which a GPU may take for 0.
fn mxfp4_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units + (unit >> 4u));
  let e = (scales[(unit >> 2u) & 3u] >> ((unit & 3u) * 8u)) & 255u;
  return bitcast<f32>(select((e - 1u) << 23u, 0x00200000u << (e & 1u), e < 2u));
}

// Without the sign 0, 1, 2, 3 and 4, 6, 8, 12: the bytes of two words.
fn mxfp4_low(word: u32) -> vec4<f32> {
  let q = vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u);
  let levels = select(vec4<u32>(0x03020100u), vec4<u32>(0x0C080604u), (q & vec4<u32>(4u)) != vec4<u32>());
  let level = vec4<i32>((levels >> ((q & vec4<u32>(3u)) * 8u)) & vec4<u32>(15u));
  return vec4<f32>(select(level, -level, (q & vec4<u32>(8u)) != vec4<u32>()));
}

fn mxfp4_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = mxfp4_scale(base, n_units, unit);
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    mxfp4_low(q.x) * d, mxfp4_low(q.y) * d, mxfp4_low(q.z) * d, mxfp4_low(q.w) * d,
    mxfp4_low(h.x) * d, mxfp4_low(h.y) * d, mxfp4_low(h.z) * d, mxfp4_low(h.w) * d);
}

fn mxfp4_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  var sum = mxfp4_low(q.x) * (*x)[0];
  sum += mxfp4_low(q.y) * (*x)[1];
  sum += mxfp4_low(q.z) * (*x)[2];
  sum += mxfp4_low(q.w) * (*x)[3];
  sum += mxfp4_low(h.x) * (*x)[4];
  sum += mxfp4_low(h.y) * (*x)[5];
  sum += mxfp4_low(h.z) * (*x)[6];
  sum += mxfp4_low(h.w) * (*x)[7];
  return mxfp4_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
