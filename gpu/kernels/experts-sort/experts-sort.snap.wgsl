const N_EXPERTS: u32 = 60u;
const N_USED: u32 = 4u;
const TILE_ROWS: u32 = 16u;
const LANES: u32 = 64u;
// The chunk that is being prefilled, written once per chunk: T tokens at absolute positions start_position ….
// Matrix rows of tokens are read from `first_row` on (0 but for the head, which takes a chunk in pieces).
struct Chunk {
  n_tokens: u32,
  start_position: u32,
  first_row: u32,
  reserved: u32,
}
@group(0) @binding(0) var<uniform> chunk: Chunk;
// Stable counting sort of a chunk's (token, rank) pairs by expert, and the table of row tiles that the expert matmuls work through.
// One workgroup; an invocation scans all ids for each of its experts, so each place in `pairs` has one writer and a fixed value.
@group(0) @binding(1) var<storage, read> ids: array<u32>; // [T, K]
@group(0) @binding(2) var<storage, read_write> pairs: array<u32>; // [T·K]: the pair at each sorted place
@group(0) @binding(3) var<storage, read_write> tiles: array<vec4<u32>>; // (expert, first place, places, 0); 0 places: past the end

var<workgroup> counts: array<u32, N_EXPERTS>;

fn n_tiles(count: u32) -> u32 {
  return (count + TILE_ROWS - 1u) / TILE_ROWS;
}

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  let n_pairs = chunk.n_tokens * N_USED;
  for (var expert = lane; expert < N_EXPERTS; expert += LANES) {
    var before = 0u;
    var count = 0u;
    for (var pair = 0u; pair < n_pairs; pair++) {
      let id = ids[pair];
      before += u32(id < expert);
      count += u32(id == expert);
    }
    counts[expert] = count;
    var place = before;
    for (var pair = 0u; pair < n_pairs; pair++) {
      if (ids[pair] == expert) {
        pairs[place] = pair;
        place++;
      }
    }
  }
  workgroupBarrier();
  for (var expert = lane; expert < N_EXPERTS; expert += LANES) {
    var first_tile = 0u;
    var place = 0u;
    for (var e = 0u; e < expert; e++) {
      first_tile += n_tiles(counts[e]);
      place += counts[e];
    }
    let count = counts[expert];
    for (var tile = 0u; tile < n_tiles(count); tile++) {
      let row = tile * TILE_ROWS;
      tiles[first_tile + tile] = vec4<u32>(expert, place + row, min(count - row, TILE_ROWS), 0u);
    }
    if (expert == N_EXPERTS - 1u) {
      let end = min(n_pairs, n_pairs / TILE_ROWS + N_EXPERTS);
      for (var tile = first_tile + n_tiles(count); tile < end; tile++) {
        tiles[tile] = vec4<u32>();
      }
    }
  }
}
