// h_out = h_mid + (Σ over ranks in order of weight · (D_expert · hidden[rank] (+ bias)) + sigmoid(gate) · (D_shared · shared hidden)).
// A worker takes every n-th block of four rows of D through all ranks, so the order of additions is that of the ranks.
struct Params {
  table_offset: u32, // of the layer's row in the slot table
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> shard_a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> shard_b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> slot_table: array<u32>;
@group(0) @binding(4) var<storage, read> expert_rows: array<vec4<u32>>; // as experts-up leaves it: hidden [K, F], ids, weights
@group(0) @binding(5) var<storage, read> routed: array<vec4<f32>>; // gate logit at GATE_AT, shared hidden [Fs] at SHARED_AT
@group(0) @binding(6) var<storage, read> shared_weights: array<vec4<u32>>; // planes of the shared down matrix [D, Fs], or f32 vectors with biases [E, D] at BIAS_AT
@group(0) @binding(7) var<storage, read> h_mid: array<f32>; // [D]
@group(0) @binding(8) var<storage, read_write> h_out: array<f32>; // [D]

var<private> from_shared: bool;
var<private> x_at: u32; // in vec4, of expert_rows or routed

fn w_read(i: u32) -> vec4<u32> {
  if (SHARED_UNITS > 0u && from_shared) {
    return shared_weights[i];
  }
  return slab_read(i);
}

fn x_read(i: u32) -> vec4<f32> {
  if (SHARED_UNITS > 0u && from_shared) {
    return routed[x_at + i];
  }
  return bitcast<vec4<f32>>(expert_rows[x_at + i]);
}

fn word(at: u32) -> u32 {
  return expert_rows[at / 4u][at % 4u];
}

fn bias(expert: u32, row: u32) -> f32 {
  let at = BIAS_AT + expert * ROWS + min(row, ROWS - 1u);
  return bitcast<f32>(shared_weights[at / 4u][at % 4u]);
}

fn run(lanes: Lanes, group_y: u32) {
  for (var row = 4u * lanes.worker; row < ROWS; row += 4u * lanes.n_workers) {
    var totals = vec4<f32>();
    from_shared = false;
    for (var rank = 0u; rank < N_USED; rank++) {
      let expert = word(IDS_AT + rank);
      let entry = slot_table[params.table_offset + expert];
      if (entry != ABSENT) {
        let slot = open_slot(entry);
        x_at = rank * UNITS * 8u;
        let weight = bitcast<f32>(word(WEIGHTS_AT + rank));
        var outputs = row_dots(lanes, DOWN_KIND, slot + DOWN_OFFSET, ROWS, UNITS, row);
        if (HAS_BIASES) {
          outputs += vec4<f32>(bias(expert, row), bias(expert, row + 1u), bias(expert, row + 2u), bias(expert, row + 3u));
        }
        totals += weight * outputs;
      }
    }
    if (SHARED_UNITS > 0u) {
      from_shared = true;
      x_at = SHARED_AT / 4u;
      var results = row_dots(lanes, SHARED_KIND, 0u, ROWS, SHARED_UNITS, row);
      if (HAS_OUTPUT_GATE) {
        results *= sigmoid(routed[GATE_AT / 4u][GATE_AT % 4u]);
      }
      totals += results;
    }
    if (lanes.lane == 0u) {
      for (var i = 0u; i < min(4u, ROWS - row); i++) {
        h_out[row + i] = h_mid[row + i] + totals[i];
      }
    }
  }
}
