// Keys and values as ggml's Q8_0 (quant/kv-formats.ts): 16 numbers to a vec4 of words, blocks of 32; f16 scales from params.scales_at on, two to a word.
fn kv_load8(is_value: bool, row: u32, eight: u32) -> mat2x4<f32> {
  let w = kv_read4(is_value, (row * params.eights + eight) / 2u);
  let words = select(w.xy, w.zw, (eight & 1u) == 1u);
  let at = params.scales_at + row * ((params.eights + 7u) / 8u) + eight / 8u;
  let scale = unpack2x16float(kv_read4(is_value, at / 4u)[at % 4u] >> (16u * ((eight / 4u) & 1u))).x;
  return mat2x4<f32>(i8x4(words.x) * scale, i8x4(words.y) * scale);
}
