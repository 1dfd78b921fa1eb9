// Puts an expert's GGUF blocks into planes (quant/types.ts), in its slot. The staged bytes begin with a header of three jobs (gate, up, down),
// four words each: first word of the blocks, first word of the planes in the shard, blocks, kind of the tensor type. A dispatch serves one kind;
// grid: (workgroups over words, 3 jobs). Bytes move in pieces: PIECE_BYTES is 2 where every run of a block has an even length and begins at an even
// byte, else 1.
@group(0) @binding(0) var<storage, read> staged: array<u32>;
@group(0) @binding(1) var<storage, read_write> shard: array<u32>;

// The piece at a byte address of the blocks, a multiple of PIECE_BYTES.
fn piece_at(byte: u32) -> u32 {
  return (staged[byte / 4u] >> (8u * (byte & 3u))) & ((1u << (8u * PIECE_BYTES)) - 1u);
}

// Words of a plane, padding included.
fn plane_words(bytes_per_block: u32, n_blocks: u32) -> u32 {
  return (bytes_per_block * n_blocks + 15u) / 16u * 4u;
}

// Word `word` of the plane that takes `n` bytes from byte `run` on of each block.
fn plane_word(n: u32, run: u32, blocks: u32, n_blocks: u32, word: u32) -> u32 {
  var bytes = 0u;
  for (var i = 0u; i < 4u; i += PIECE_BYTES) {
    let byte = 4u * word + i;
    let block = byte / n;
    if (block < n_blocks) {
      bytes |= piece_at(blocks + block * BLOCK_BYTES + run + byte % n) << (8u * i);
    }
  }
  return bytes;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  let job = 4u * group.y;
  if (staged[job + 3u] != KIND) {
    return;
  }
  let blocks = 4u * staged[job];
  let n_blocks = staged[job + 2u];
  var first = staged[job + 1u];
  let step = groups.x * WORKGROUP_SIZE;
  for (var word = id.x; word < plane_words(PLANE_0_BYTES, n_blocks); word += step) {
    shard[first + word] = plane_word(PLANE_0_BYTES, PLANE_0_RUN, blocks, n_blocks, word);
  }
  first += plane_words(PLANE_0_BYTES, n_blocks);
  if (N_PLANES > 1u) {
    for (var word = id.x; word < plane_words(PLANE_1_BYTES, n_blocks); word += step) {
      shard[first + word] = plane_word(PLANE_1_BYTES, PLANE_1_RUN, blocks, n_blocks, word);
    }
    first += plane_words(PLANE_1_BYTES, n_blocks);
  }
  if (N_PLANES > 2u) {
    for (var word = id.x; word < plane_words(PLANE_2_BYTES, n_blocks); word += step) {
      shard[first + word] = plane_word(PLANE_2_BYTES, PLANE_2_RUN, blocks, n_blocks, word);
    }
    first += plane_words(PLANE_2_BYTES, n_blocks);
  }
  if (N_PLANES > 3u) {
    for (var word = id.x; word < plane_words(PLANE_3_BYTES, n_blocks); word += step) {
      shard[first + word] = plane_word(PLANE_3_BYTES, PLANE_3_RUN, blocks, n_blocks, word);
    }
  }
}
