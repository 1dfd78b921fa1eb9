// Q4_K, plane: blocks of 8 units as in the file, 9 vec4: {d, dmin, 12 bytes of 6-bit scales}, then nibbles, 2 vec4 for two units.
// w = (d·sc)·q − (dmin·mn). See gpu/quant/q4-k.ts.
fn q4_k_scale(header: vec4<u32>, group: u32) -> vec2<f32> {
  let shift = (group & 3u) * 8u;
  let a = header.y >> shift;
  let b = header.z >> shift;
  let c = header.w >> shift;
  let early = vec2<u32>(a & 63u, b & 63u);
  let late = vec2<u32>((c & 15u) | ((a >> 2u) & 48u), ((c >> 4u) & 15u) | ((b >> 2u) & 48u));
  return unpack2x16float(header.x) * vec2<f32>(select(late, early, group < 4u));
}

fn q4_k_low(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<i32>(15));
}

fn q4_k_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = base + (unit >> 3u) * 9u;
  let group = unit & 7u;
  let dm = q4_k_scale(w_read(block), group);
  let at = block + 1u + (group >> 1u) * 2u;
  let a = w_read(at) >> vec4<u32>((group & 1u) * 4u);
  let b = w_read(at + 1u) >> vec4<u32>((group & 1u) * 4u);
  return array<vec4<f32>, 8>(
    q4_k_low(a.x) * dm.x - dm.y, q4_k_low(a.y) * dm.x - dm.y, q4_k_low(a.z) * dm.x - dm.y, q4_k_low(a.w) * dm.x - dm.y,
    q4_k_low(b.x) * dm.x - dm.y, q4_k_low(b.y) * dm.x - dm.y, q4_k_low(b.z) * dm.x - dm.y, q4_k_low(b.w) * dm.x - dm.y);
}

fn q4_k_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let block = base + (unit >> 3u) * 9u;
  let group = unit & 7u;
  let dm = q4_k_scale(w_read(block), group);
  let at = block + 1u + (group >> 1u) * 2u;
  let a = w_read(at) >> vec4<u32>((group & 1u) * 4u);
  let b = w_read(at + 1u) >> vec4<u32>((group & 1u) * 4u);
  var sum = (q4_k_low(a.x) * dm.x - dm.y) * (*x)[0];
  sum += (q4_k_low(a.y) * dm.x - dm.y) * (*x)[1];
  sum += (q4_k_low(a.z) * dm.x - dm.y) * (*x)[2];
  sum += (q4_k_low(a.w) * dm.x - dm.y) * (*x)[3];
  sum += (q4_k_low(b.x) * dm.x - dm.y) * (*x)[4];
  sum += (q4_k_low(b.y) * dm.x - dm.y) * (*x)[5];
  sum += (q4_k_low(b.z) * dm.x - dm.y) * (*x)[6];
  sum += (q4_k_low(b.w) * dm.x - dm.y) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
