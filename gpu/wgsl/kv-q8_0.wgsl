// Keys and values as ggml's Q8_0 (quant/kv-formats.ts): i8 numbers [rows, Hd], then f16 scales [rows, Hd/32], two to a word. A unit is the four
// elements of a word. A block's scale comes from its own 32 elements, which every invocation that stores one of them computes again.
const KV_UNIT = 4u;
alias KvUnit = vec4<f32>;
const KV_BLOCK = 32u;
const KV_SCALES_AT = N_KV_HEADS * CONTEXT_TOKENS * (HEAD_WIDTH / KV_UNIT);
const KV_SCALE_WORDS = (HEAD_WIDTH + 2u * KV_BLOCK - 1u) / (2u * KV_BLOCK);
// The largest number of which a block can be: its scale is the largest finite f16 then.
const KV_MOST = 65504.0 * 127.0;

fn kv_load(is_value: bool, row: u32, unit: u32) -> KvUnit {
  let word = kv_read(is_value, row * (HEAD_WIDTH / KV_UNIT) + unit);
  let scales = kv_read(is_value, KV_SCALES_AT + row * KV_SCALE_WORDS + unit / 16u);
  return i8x4(word) * unpack2x16float(scales >> (16u * ((unit / 8u) & 1u))).x;
}

fn kv_rotated(g: Group, unit: u32, position: u32) -> KvUnit {
  return vec4<f32>(rotated(g, 2u * unit, f32(position)), rotated(g, 2u * unit + 1u, f32(position)));
}

// `inverse` from the unrounded scale, as ggml has it; halves go away from zero.
fn kv_rounded(v: vec4<f32>, scale: f32) -> vec4<f32> {
  let inverse = select(0.0, 1.0 / scale, scale > 1e-30); // f16 holds no scale that small
  let size = abs(v * inverse);
  let whole = trunc(size);
  return sign(v) * min(whole + select(vec4<f32>(), vec4<f32>(1.0), size - whole >= vec4<f32>(0.5)), vec4<f32>(127.0));
}

fn kv_append(is_value: bool, g: Group, unit: u32, position: u32, row: u32, stores: bool) -> KvUnit {
  let of_row = unit % (HEAD_WIDTH / KV_UNIT);
  let block = unit / (KV_BLOCK / KV_UNIT);
  // Who stores the first unit of two blocks stores their scales.
  let stores_scales = stores && of_row % 16u == 0u;
  let first = block * (KV_BLOCK / 2u);
  let n_pairs = select(1u, 2u, stores_scales && of_row + 8u < HEAD_WIDTH / KV_UNIT) * (KV_BLOCK / 2u);
  var v = vec4<f32>();
  var most = vec2<f32>();
  for (var i = 0u; i < n_pairs; i++) {
    let two = appended(is_value, g, first + i, position);
    let size = max(abs(two.x), abs(two.y));
    most = max(most, select(vec2<f32>(0.0, size), vec2<f32>(size, 0.0), i < KV_BLOCK / 2u));
    v = select(v, two.xyxy, (vec4<u32>(first + i) == 2u * unit + vec4<u32>(0u, 0u, 1u, 1u)));
  }
  let scales = min(most, vec2<f32>(KV_MOST)) / 127.0;
  let rounded = kv_rounded(v, scales.x);
  if (stores) {
    let bytes = (bitcast<vec4<u32>>(vec4<i32>(rounded)) & vec4<u32>(255u)) << vec4<u32>(0u, 8u, 16u, 24u);
    kv_write(is_value, row * (HEAD_WIDTH / KV_UNIT) + of_row, bytes.x | bytes.y | bytes.z | bytes.w);
  }
  if (stores_scales) {
    kv_write(is_value, KV_SCALES_AT + row * KV_SCALE_WORDS + of_row / 16u, pack2x16float(scales));
  }
  return rounded * unpack2x16float(pack2x16float(vec2<f32>(scales.x, 0.0)) | kv_opaque_zero(position)).x;
}
