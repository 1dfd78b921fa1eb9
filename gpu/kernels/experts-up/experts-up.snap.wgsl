enable subgroups;
diagnostic(off, subgroup_uniformity); // the loops over rows are uniform in a subgroup, which the workgroup-wide analysis cannot see
// A worker is a subgroup: its lanes split the sum of a row and meet in subgroupAdd. Subgroups of a one-dimensional workgroup hold
// consecutive invocations; WORKGROUP_SIZE is at least the largest subgroup, so that none is partly filled.
struct Lanes {
  worker: u32,
  n_workers: u32,
  lane: u32,
  n_lanes: u32,
}

fn lane_sum(v: f32) -> f32 {
  return subgroupAdd(v);
}

fn lane_sum2(v: vec2<f32>) -> vec2<f32> {
  return subgroupAdd(v);
}

fn lane_sum3(v: vec3<f32>) -> vec3<f32> {
  return subgroupAdd(v);
}

fn lane_sum4(v: vec4<f32>) -> vec4<f32> {
  return subgroupAdd(v);
}

fn lane_max(v: f32) -> f32 {
  return subgroupMax(v);
}

fn lane_min_u32(v: u32) -> u32 {
  return subgroupMin(v);
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  let per_group = WORKGROUP_SIZE / size;
  run(Lanes(group.x * per_group + local / size, groups.x * per_group, lane, size), group.y);
}
const WORKGROUP_SIZE: u32 = 256u;
const UNITS: u32 = 2u;
const N_EXPERTS: u32 = 8u;
const N_USED: u32 = 2u;
const WIDTH: u32 = 96u;
const GATE_KIND: u32 = 0u;
const UP_KIND: u32 = 0u;
const GATE_OFFSET: u32 = 0u;
const UP_OFFSET: u32 = 216u;
const SLOT_VEC4: u32 = 656u;
const TWO_SHARDS: bool = true;
const IDS_AT: u32 = 192u;
const WEIGHTS_AT: u32 = 194u;
const NORMALISE: bool = true;
const WEIGHT_SCALE: f32 = 1.0f;
const NORM: u32 = 64u;
const EPSILON: f32 = 0.000001f;
const MARGIN: f32 = 0.0f;
const HAS_BIASES: bool = false;
const GATE_BIAS: u32 = 0u;
const UP_BIAS: u32 = 0u;
const SIGMOID: bool = false;
const SCORES_AT: u32 = 0u;
const N_GROUPS: u32 = 1u;
const GROUPS_USED: u32 = 1u;
// Q4_0, planes: nibbles (1 vec4 a unit: weights 0…15 low, 16…31 high), f16 scales (8 a vec4). w = d·(q − 8). See gpu/quant/q4-0.ts.
fn q4_0_scale(base: u32, n_units: u32, unit: u32) -> f32 {
  let scales = w_read(base + n_units + (unit >> 3u));
  return unpack2x16float(scales[(unit >> 1u) & 3u] >> ((unit & 1u) * 16u)).x;
}

fn q4_0_low(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<i32>(15)) - 8.0;
}

fn q4_0_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let d = q4_0_scale(base, n_units, unit);
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  return array<vec4<f32>, 8>(
    q4_0_low(q.x) * d, q4_0_low(q.y) * d, q4_0_low(q.z) * d, q4_0_low(q.w) * d,
    q4_0_low(h.x) * d, q4_0_low(h.y) * d, q4_0_low(h.z) * d, q4_0_low(h.w) * d);
}

fn q4_0_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let q = w_read(base + unit);
  let h = q >> vec4<u32>(4u);
  var sum = q4_0_low(q.x) * (*x)[0];
  sum += q4_0_low(q.y) * (*x)[1];
  sum += q4_0_low(q.z) * (*x)[2];
  sum += q4_0_low(q.w) * (*x)[3];
  sum += q4_0_low(h.x) * (*x)[4];
  sum += q4_0_low(h.y) * (*x)[5];
  sum += q4_0_low(h.z) * (*x)[6];
  sum += q4_0_low(h.w) * (*x)[7];
  return q4_0_scale(base, n_units, unit) * ((sum.x + sum.y) + (sum.z + sum.w));
}
fn w_load32(kind: u32, base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  return q4_0_load32(base, n_units, unit);
}
fn w_dot32(kind: u32, base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  return q4_0_dot32(base, n_units, unit, x);
}
// Words of the sequence's state buffer (gpu/README.md).
const STATE_POSITION = 0u;
const STATE_TOKEN = 1u;
const STATE_FIRST_MISS_LAYER = 2u;
const STATE_STEP = 3u;
const NO_MISS = 0xFFFFFFFFu;
// Weights of experts in a slab of at most two shards. The kernel binds shard_a, shard_b and slot_table and, where SHARED_ROWS or another
// constant says so, reads further weights as source 2. A slot starts at slot · SLOT_VEC4 of its shard.
const ABSENT = 0xFFFFFFFFu;
var<private> from_shard_b: bool;

fn slab_read(i: u32) -> vec4<u32> {
  if (TWO_SHARDS && from_shard_b) {
    return shard_b[i];
  }
  return shard_a[i];
}

// Turns slab_read to the shard of the expert whose table entry this is; the first vec4 of its slot.
fn open_slot(entry: u32) -> u32 {
  from_shard_b = (entry >> 24u) == 1u;
  return (entry & 0xFFFFFFu) * SLOT_VEC4;
}
// Dot products of matrix rows with an RMS-normed input, y = W·(x ∘ g) / sqrt(mean(x²) + ε): Σx² is summed along the same loop and the
// scale applied at the end, so the norm needs no dispatch and no barrier. The kernel offers x_read(i) and g_read(i) → elements
// 4i … 4i + 3 of the input and of the norm's weights; a row has UNITS units. A worker takes four dot products at a time, so that
// a unit of x is loaded and scaled once for them; each row's sum has the order that it would have alone.
fn load_normed32(unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  var squares = vec4<f32>();
  for (var j = 0u; j < 8u; j++) {
    let v = x_read(unit * 8u + j);
    squares += v * v;
    (*x)[j] = v * g_read(unit * 8u + j);
  }
  return (squares.x + squares.y) + (squares.z + squares.w);
}

fn norm_scale(squares: f32) -> f32 {
  return 1.0 / sqrt(squares / f32(UNITS * 32u) + EPSILON);
}

// W[row … row + 3] · norm(x); rows past the last give the last one's result. Every lane has the results.
fn normed_dots(lanes: Lanes, kind: u32, base: u32, n_rows: u32, row: u32) -> vec4<f32> {
  let n_units = n_rows * UNITS;
  let starts = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(n_rows - 1u)) * UNITS;
  var sums = vec4<f32>();
  var squares = 0.0;
  for (var unit = lanes.lane; unit < UNITS; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    squares += load_normed32(unit, &x);
    sums += vec4<f32>(
      w_dot32(kind, base, n_units, starts.x + unit, &x),
      w_dot32(kind, base, n_units, starts.y + unit, &x),
      w_dot32(kind, base, n_units, starts.z + unit, &x),
      w_dot32(kind, base, n_units, starts.w + unit, &x));
  }
  return lane_sum4(sums) * norm_scale(lane_sum(squares));
}

// Rows row and row + 1 of two matrices of one shape (gate and up): {first, second, first of the next row, second of the next row}.
fn normed_dot_pairs(lanes: Lanes, kinds: vec2<u32>, bases: vec2<u32>, n_rows: u32, row: u32) -> vec4<f32> {
  let n_units = n_rows * UNITS;
  let starts = min(vec2<u32>(row, row + 1u), vec2<u32>(n_rows - 1u)) * UNITS;
  var sums = vec4<f32>();
  var squares = 0.0;
  for (var unit = lanes.lane; unit < UNITS; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    squares += load_normed32(unit, &x);
    sums += vec4<f32>(
      w_dot32(kinds.x, bases.x, n_units, starts.x + unit, &x),
      w_dot32(kinds.y, bases.y, n_units, starts.x + unit, &x),
      w_dot32(kinds.x, bases.x, n_units, starts.y + unit, &x),
      w_dot32(kinds.y, bases.y, n_units, starts.y + unit, &x));
  }
  return lane_sum4(sums) * norm_scale(lane_sum(squares));
}
// silu(g) = g / (1 + e^-g). The exponent is held below overflow: for g < -80 the result is below 1e-33 either way.
fn silu(g: vec4<f32>) -> vec4<f32> {
  return g / (1.0 + exp(min(-g, vec4<f32>(80.0))));
}

fn sigmoid(g: f32) -> f32 {
  return 1.0 / (1.0 + exp(min(-g, 80.0)));
}

// silu(gate) · up of two rows: {gate, up, gate, up}.
fn gated(pairs: vec4<f32>) -> vec2<f32> {
  return silu(vec4<f32>(pairs.xz, 0.0, 0.0)).xy * pairs.yw;
}
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
