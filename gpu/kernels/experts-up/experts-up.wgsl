// hidden[rank] = silu(G·x) · (U·x), or another activation of G·x and U·x (+ biases), with x = norm(h_mid), for the expert of each rank: the top K of the router logits, ties to the lower id.
// SIGMOID: of the scores that router-matvec left, those of the best groups alone where there are groups (gpu/reference/ops/routing.ts).
// Every worker finds its rank's expert by itself (no dispatch, no barrier); the first one also writes ids, weights and
// the routing record. Grid: (workers over rows, K ranks). An absent expert flags the layer in `state` and leaves zeros.
// MARGIN > 0, cache-aware routing (gpu/reference/ops/routing.ts): who has a slot stands MARGIN higher in the choice, and the record
// marks who was chosen only for that.
struct Params {
  table_offset: u32, // of the layer's row in the slot table
  layer: u32,
  record_at: u32, // word of expert_rows where the layer's record starts
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> shard_a: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> shard_b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> slot_table: array<u32>;
@group(0) @binding(4) var<storage, read> vectors: array<vec4<f32>>; // norm [D] at NORM, biases [E, F] at GATE_BIAS, UP_BIAS (elements)
@group(0) @binding(5) var<storage, read> h_mid: array<vec4<f32>>; // [D]
@group(0) @binding(6) var<storage, read> routed: array<f32>; // router logits [E] first, scores [E] at SCORES_AT
@group(0) @binding(7) var<storage, read_write> state: array<atomic<u32>>;
// hidden f32 [K, F] | ids [K] at IDS_AT | weights f32 [K] at WEIGHTS_AT | records u32 [MoE layers, K]; words, because ids are no f32
@group(0) @binding(8) var<storage, read_write> expert_rows: array<u32>;

fn w_read(i: u32) -> vec4<u32> {
  return slab_read(i);
}

fn x_read(i: u32) -> vec4<f32> {
  return h_mid[i];
}

fn g_read(i: u32) -> vec4<f32> {
  return vectors[NORM / 4u + i];
}

struct Choice {
  standing: f32,
  id: u32,
}
const NOBODY = 0xFFFFFFFFu;
const LOWEST = -3.4028234e38;
const BEFORE_ALL = Choice(3.4028234e38, NOBODY);
const SUBSTITUTE = 0x10000u; // in a word of the record, above the id
const GROUP_SIZE = N_EXPERTS / N_GROUPS;
var<private> groups: u32; // those whose experts can be chosen, a bit each

// By what expert e is chosen where it does not matter who has a slot.
fn exact_standing(e: u32) -> f32 {
  if (!SIGMOID) {
    return routed[e];
  }
  if (N_GROUPS > 1u && ((groups >> (e / GROUP_SIZE)) & 1u) == 0u) {
    return LOWEST;
  }
  return routed[SCORES_AT + e];
}

fn standing(e: u32) -> f32 {
  if (MARGIN > 0.0 && slot_table[params.table_offset + e] != ABSENT) {
    return exact_standing(e) + select(MARGIN, sigmoid(routed[e] + MARGIN) - sigmoid(routed[e]), SIGMOID);
  }
  return exact_standing(e);
}

// The sum of the two best scores of group g.
fn group_score(g: u32) -> f32 {
  var best = LOWEST;
  var second = LOWEST;
  for (var e = g * GROUP_SIZE; e < (g + 1u) * GROUP_SIZE; e++) {
    let score = routed[SCORES_AT + e];
    second = max(second, min(best, score));
    best = max(best, score);
  }
  return best + second;
}

// The GROUPS_USED best groups, ties to the lower one.
fn choose_groups(lanes: Lanes) {
  groups = 0u;
  for (var n = 0u; n < GROUPS_USED; n++) {
    var best = LOWEST;
    var id = NOBODY;
    for (var g = lanes.lane; g < N_GROUPS; g += lanes.n_lanes) {
      let score = group_score(g);
      if (((groups >> g) & 1u) == 0u && (id == NOBODY || score > best)) {
        best = score;
        id = g;
      }
    }
    let top = lane_max(best);
    groups |= 1u << min(lane_min_u32(select(NOBODY, id, best == top)), N_GROUPS - 1u);
  }
}

fn greatest_logit(lanes: Lanes) -> f32 {
  var greatest = LOWEST;
  for (var e = lanes.lane; e < N_EXPERTS; e += lanes.n_lanes) {
    greatest = max(greatest, routed[e]);
  }
  return lane_max(greatest);
}

fn mark_substitute(lanes: Lanes, id: u32) -> u32 {
  var ahead = 0.0;
  for (var e = lanes.lane; e < N_EXPERTS; e += lanes.n_lanes) {
    let its = exact_standing(e);
    ahead += f32(its > exact_standing(id) || (its == exact_standing(id) && e < id));
  }
  return select(id, id | SUBSTITUTE, lane_sum(ahead) >= f32(N_USED));
}

// The expert that follows `last` in the order of falling standings, equal ones by rising id.
fn next_choice(lanes: Lanes, last: Choice) -> Choice {
  var best = LOWEST;
  var id = NOBODY;
  for (var e = lanes.lane; e < N_EXPERTS; e += lanes.n_lanes) {
    let its = standing(e);
    let follows = its < last.standing || (its == last.standing && e > last.id);
    if (follows && (id == NOBODY || its > best)) {
      best = its;
      id = e;
    }
  }
  let top = lane_max(best);
  let winner = lane_min_u32(select(NOBODY, id, best == top));
  return Choice(top, min(winner, N_EXPERTS - 1u)); // logits that are no numbers choose somebody too
}

fn write_routing(lanes: Lanes) {
  var choice = BEFORE_ALL;
  var weights: array<f32, N_USED>;
  var greatest = 0.0;
  var sum = 0.0;
  var chosen_sum = 0.0;
  for (var rank = 0u; rank < N_USED; rank++) {
    choice = next_choice(lanes, choice);
    if (rank == 0u && !SIGMOID) {
      greatest = choice.standing;
      if (MARGIN > 0.0) {
        greatest = greatest_logit(lanes);
      }
      var part = 0.0;
      for (var e = lanes.lane; e < N_EXPERTS; e += lanes.n_lanes) {
        part += exp(routed[e] - greatest);
      }
      sum = lane_sum(part);
    }
    var logit = choice.standing;
    var entry = choice.id;
    if (MARGIN > 0.0 || SIGMOID) {
      logit = routed[choice.id];
    }
    if (MARGIN > 0.0) {
      entry = mark_substitute(lanes, choice.id);
    }
    if (SIGMOID) {
      weights[rank] = sigmoid(logit);
    } else {
      weights[rank] = exp(logit - greatest) / sum;
    }
    chosen_sum += weights[rank];
    if (lanes.lane == 0u) {
      expert_rows[IDS_AT + rank] = choice.id;
      expert_rows[params.record_at + rank] = entry;
    }
  }
  let divisor = select(1.0, max(chosen_sum, 6.103515625e-5), NORMALISE);
  if (lanes.lane == 0u) {
    for (var rank = 0u; rank < N_USED; rank++) {
      expert_rows[WEIGHTS_AT + rank] = bitcast<u32>(weights[rank] / divisor * WEIGHT_SCALE);
    }
  }
}

fn vector_at(i: u32) -> f32 {
  return vectors[i / 4u][i % 4u];
}

// Of rows `row` and the next of an expert, in the order of normed_dot_pairs.
fn biases_at(expert: u32, row: u32) -> vec4<f32> {
  let first = expert * WIDTH + row;
  let second = expert * WIDTH + min(row + 1u, WIDTH - 1u);
  return vec4<f32>(
    vector_at(GATE_BIAS + first),
    vector_at(UP_BIAS + first),
    vector_at(GATE_BIAS + second),
    vector_at(UP_BIAS + second));
}

fn run(lanes: Lanes, rank: u32) {
  if (N_GROUPS > 1u) {
    choose_groups(lanes);
  }
  var choice = BEFORE_ALL;
  for (var r = 0u; r <= rank; r++) {
    choice = next_choice(lanes, choice);
  }
  if (rank == 0u && lanes.worker == 0u) {
    write_routing(lanes);
  }
  let entry = slot_table[params.table_offset + choice.id];
  if (entry == ABSENT) {
    if (lanes.worker == 0u && lanes.lane == 0u) {
      atomicMin(&state[STATE_FIRST_MISS_LAYER], params.layer);
    }
    for (var row = lanes.worker; row < WIDTH; row += lanes.n_workers) {
      expert_rows[rank * WIDTH + row] = 0u;
    }
    return;
  }
  let slot = open_slot(entry);
  let kinds = vec2<u32>(GATE_KIND, UP_KIND);
  let bases = vec2<u32>(slot + GATE_OFFSET, slot + UP_OFFSET);
  for (var row = 2u * lanes.worker; row < WIDTH; row += 2u * lanes.n_workers) {
    var pairs = normed_dot_pairs(lanes, kinds, bases, WIDTH, row);
    if (HAS_BIASES) {
      pairs += biases_at(choice.id, row);
    }
    let results = bitcast<vec2<u32>>(gated(pairs));
    if (lanes.lane == 0u) {
      expert_rows[rank * WIDTH + row] = results.x;
      if (row + 1u < WIDTH) {
        expert_rows[rank * WIDTH + row + 1u] = results.y;
      }
    }
  }
}
