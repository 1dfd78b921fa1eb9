// IQ4_NL, planes: nibbles (1 vec4 a unit: weights 0…15 low, 16…31 high), f16 scales (8 a vec4). w = d·level. See gpu/quant/iq4-nl.ts.
fn iq4_nl_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units + (unit >> 3u));
  return unpack2x16float(scales[(unit >> 1u) & 3u] >> ((unit & 1u) * 16u)).x;
}

// The sixteen levels are the signed bytes of four words; the nibble's upper two bits choose the word, the lower two the byte.
fn iq4_nl_low(word: u32) -> vec4<f32> {
  let q = vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u);
  let is_odd_word = (q & vec4<u32>(4u)) != vec4<u32>();
  let negative = select(vec4<u32>(0xBFAD9881u), vec4<u32>(0xF6EADDCFu), is_odd_word);
  let positive = select(vec4<u32>(0x26190D01u), vec4<u32>(0x71594535u), is_odd_word);
  let levels = select(negative, positive, (q & vec4<u32>(8u)) != vec4<u32>());
  return vec4<f32>(bitcast<vec4<i32>>(levels << (24u - (q & vec4<u32>(3u)) * 8u)) >> vec4<u32>(24u));
}

fn iq4_nl_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = iq4_nl_scale(base, n_units, unit);
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    iq4_nl_low(q.x) * d, iq4_nl_low(q.y) * d, iq4_nl_low(q.z) * d, iq4_nl_low(q.w) * d,
    iq4_nl_low(h.x) * d, iq4_nl_low(h.y) * d, iq4_nl_low(h.z) * d, iq4_nl_low(h.w) * d);
}

fn iq4_nl_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  var sum = iq4_nl_low(q.x) * (*x)[0];
  sum += iq4_nl_low(q.y) * (*x)[1];
  sum += iq4_nl_low(q.z) * (*x)[2];
  sum += iq4_nl_low(q.w) * (*x)[3];
  sum += iq4_nl_low(h.x) * (*x)[4];
  sum += iq4_nl_low(h.y) * (*x)[5];
  sum += iq4_nl_low(h.z) * (*x)[6];
  sum += iq4_nl_low(h.w) * (*x)[7];
  return iq4_nl_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
