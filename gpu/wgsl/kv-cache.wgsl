// The cache as kernels bind it that append to it: `keys` and `values` as array<u32>, read_write.
fn kv_read(is_value: bool, i: u32) -> u32 {
  if (is_value) {
    return values[i];
  }
  return keys[i];
}

fn kv_write(is_value: bool, i: u32, word: u32) {
  if (is_value) {
    values[i] = word;
  } else {
    keys[i] = word;
  }
}

// Mesa folds unpack(pack(x)) to x, which skips the rounding that later positions read: a zero that it cannot see keeps the pair.
fn kv_opaque_zero(position: u32) -> u32 {
  return position >> 31u;
}

// Elements 2·pair and 2·pair + 1 of the group as a new key or value.
fn appended(is_value: bool, g: Group, pair: u32, position: u32) -> vec2<f32> {
  if (is_value) {
    return vec2<f32>(element(g, 2u * pair), element(g, 2u * pair + 1u));
  }
  return rotated(g, pair, f32(position));
}
