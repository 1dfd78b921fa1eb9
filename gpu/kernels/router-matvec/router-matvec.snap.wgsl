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
const N_EXPERTS: u32 = 4u;
const NORM: u32 = 8u;
const EPSILON: f32 = 0.000001f;
const ROUTER_KIND: u32 = 0u;
const SHARED_ROWS: u32 = 32u;
const SHARED_AT: u32 = 8u;
const HAS_LOGIT_BIAS: bool = false;
const LOGIT_BIAS: u32 = 0u;
const HAS_SCORES: bool = false;
const SCORES_AT: u32 = 40u;
const HAS_BIAS: bool = false;
const BIAS: u32 = 0u;
const HAS_OUTPUT_GATE: bool = true;
const GATE_KIND: u32 = 1u;
const UP_KIND: u32 = 1u;
const OUTPUT_GATE_KIND: u32 = 0u;
const GATE_BASE: u32 = 0u;
const UP_BASE: u32 = 80u;
const OUTPUT_GATE_BASE: u32 = 160u;
// F32, plane: 32 weights = 8 vec4. See gpu/quant/f32.ts.
fn f32_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let at = base + unit * 8u;
  return array<vec4<f32>, 8>(
    bitcast<vec4<f32>>(w_read(at)), bitcast<vec4<f32>>(w_read(at + 1u)),
    bitcast<vec4<f32>>(w_read(at + 2u)), bitcast<vec4<f32>>(w_read(at + 3u)),
    bitcast<vec4<f32>>(w_read(at + 4u)), bitcast<vec4<f32>>(w_read(at + 5u)),
    bitcast<vec4<f32>>(w_read(at + 6u)), bitcast<vec4<f32>>(w_read(at + 7u)));
}

fn f32_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let at = base + unit * 8u;
  var sum = bitcast<vec4<f32>>(w_read(at)) * (*x)[0];
  sum += bitcast<vec4<f32>>(w_read(at + 1u)) * (*x)[1];
  sum += bitcast<vec4<f32>>(w_read(at + 2u)) * (*x)[2];
  sum += bitcast<vec4<f32>>(w_read(at + 3u)) * (*x)[3];
  sum += bitcast<vec4<f32>>(w_read(at + 4u)) * (*x)[4];
  sum += bitcast<vec4<f32>>(w_read(at + 5u)) * (*x)[5];
  sum += bitcast<vec4<f32>>(w_read(at + 6u)) * (*x)[6];
  sum += bitcast<vec4<f32>>(w_read(at + 7u)) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
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
  switch (kind) {
    case 1u: { return q4_0_load32(base, n_units, unit); }
    default: { return f32_load32(base, n_units, unit); }
  }
}
fn w_dot32(kind: u32, base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  switch (kind) {
    case 1u: { return q4_0_dot32(base, n_units, unit, x); }
    default: { return f32_dot32(base, n_units, unit, x); }
  }
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
// Of x = norm(h_mid): router logits R·x (+ bias) [E], and where the layer has a shared expert its hidden row silu(G·x) · (U·x) [Fs] and the
// logit of its output gate. Of a sigmoid router also what each expert stands at in the choice, sigmoid(logit) + bias (DeepSeek-V3,
// arXiv 2412.19437, eq. 16). routed = logits [E] | gate logit | hidden [Fs] at SHARED_AT | scores [E] at SCORES_AT.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of the router [E, D]
@group(0) @binding(1) var<storage, read> shared_weights: array<vec4<u32>>; // planes of gate, up [Fs, D] and output gate [1, D]
@group(0) @binding(2) var<storage, read> vectors: array<vec4<f32>>; // norm [D] at NORM, biases [E] of logits and scores at LOGIT_BIAS and BIAS (elements)
@group(0) @binding(3) var<storage, read> h_mid: array<vec4<f32>>; // [D]
@group(0) @binding(4) var<storage, read_write> routed: array<f32>;

var<private> from_shared: bool;

fn w_read(i: u32) -> vec4<u32> {
  if (SHARED_ROWS > 0u && from_shared) {
    return shared_weights[i];
  }
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return h_mid[i];
}

fn g_read(i: u32) -> vec4<f32> {
  return vectors[NORM / 4u + i];
}

fn run(lanes: Lanes, group_y: u32) {
  const ROUTER_BLOCKS = (N_EXPERTS + 3u) / 4u;
  const SHARED_BLOCKS = (SHARED_ROWS + 1u) / 2u;
  const BLOCKS = ROUTER_BLOCKS + SHARED_BLOCKS + select(0u, 1u, HAS_OUTPUT_GATE);
  for (var block = lanes.worker; block < BLOCKS; block += lanes.n_workers) {
    var results: vec4<f32>;
    var place: u32;
    var n: u32;
    if (block < ROUTER_BLOCKS) {
      from_shared = false;
      place = 4u * block;
      n = min(4u, N_EXPERTS - place);
      results = normed_dots(lanes, ROUTER_KIND, 0u, N_EXPERTS, place);
      if (HAS_LOGIT_BIAS) {
        results += vectors[(LOGIT_BIAS + place) / 4u];
      }
    } else if (block < ROUTER_BLOCKS + SHARED_BLOCKS) {
      from_shared = true;
      let row = 2u * (block - ROUTER_BLOCKS);
      place = SHARED_AT + row;
      n = min(2u, SHARED_ROWS - row);
      let kinds = vec2<u32>(GATE_KIND, UP_KIND);
      results = vec4<f32>(gated(normed_dot_pairs(lanes, kinds, vec2<u32>(GATE_BASE, UP_BASE), SHARED_ROWS, row)), 0.0, 0.0);
    } else {
      from_shared = true;
      place = N_EXPERTS;
      n = 1u;
      results = normed_dots(lanes, OUTPUT_GATE_KIND, OUTPUT_GATE_BASE, 1u, 0u);
    }
    if (lanes.lane == 0u) {
      for (var i = 0u; i < n; i++) {
        routed[place + i] = results[i];
      }
      if (HAS_SCORES && block < ROUTER_BLOCKS) {
        for (var i = 0u; i < n; i++) {
          routed[SCORES_AT + place + i] = sigmoid(results[i]) + select(0.0, vectors[(BIAS + place) / 4u][i], HAS_BIAS);
        }
      }
    }
  }
}
