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
const UNITS: u32 = 8u;
const EPSILON: f32 = 0.000001f;
const GROUP_ROWS: u32 = 16u;
// Q6_K, planes over blocks of 8 units: ql (8 vec4), qh (4 vec4), i8 scales (1 vec4, one per 16 weights), f16 d (8 a vec4).
// w = (d·sc)·(q − 32). See gpu/quant/q6-k.ts for which bits of ql and qh make a weight.
fn q6_k_scale(base: u32, n_units: u32, unit: u32) -> vec2<f32> {
  let n_blocks = n_units >> 3u;
  let block = unit >> 3u;
  let group = unit & 7u;
  let scales = w_read(base + n_blocks * 12u + block);
  let pair = bitcast<i32>(scales[group >> 1u]) << (16u - (group & 1u) * 16u);
  let ds = w_read(base + n_blocks * 13u + (block >> 3u));
  let d = unpack2x16float(ds[(block >> 1u) & 3u] >> ((block & 1u) * 16u)).x;
  return d * vec2<f32>(f32((pair << 8u) >> 24u), f32(pair >> 24u));
}

fn q6_k_quants(low: u32, high: u32) -> vec4<f32> {
  let spread = vec4<u32>(0u, 8u, 16u, 24u);
  let l = (vec4<i32>(bitcast<i32>(low)) >> spread) & vec4<i32>(15);
  let h = (vec4<i32>(bitcast<i32>(high)) >> spread) & vec4<i32>(3);
  return vec4<f32>(l | (h << vec4<u32>(4u))) - 32.0;
}

fn q6_k_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = unit >> 3u;
  let group = unit & 7u;
  let half = group >> 2u;
  let j = group & 3u;
  let ds = q6_k_scale(base, n_units, unit);
  let ql = base + block * 8u + half * 4u + (j & 1u) * 2u;
  let qh = base + (n_units >> 3u) * 8u + block * 4u + half * 2u;
  let a = w_read(ql) >> vec4<u32>((j >> 1u) * 4u);
  let b = w_read(ql + 1u) >> vec4<u32>((j >> 1u) * 4u);
  let c = w_read(qh) >> vec4<u32>(j * 2u);
  let d = w_read(qh + 1u) >> vec4<u32>(j * 2u);
  return array<vec4<f32>, 8>(
    q6_k_quants(a.x, c.x) * ds.x, q6_k_quants(a.y, c.y) * ds.x, q6_k_quants(a.z, c.z) * ds.x, q6_k_quants(a.w, c.w) * ds.x,
    q6_k_quants(b.x, d.x) * ds.y, q6_k_quants(b.y, d.y) * ds.y, q6_k_quants(b.z, d.z) * ds.y, q6_k_quants(b.w, d.w) * ds.y);
}

fn q6_k_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let block = unit >> 3u;
  let group = unit & 7u;
  let half = group >> 2u;
  let j = group & 3u;
  let ds = q6_k_scale(base, n_units, unit);
  let ql = base + block * 8u + half * 4u + (j & 1u) * 2u;
  let qh = base + (n_units >> 3u) * 8u + block * 4u + half * 2u;
  let a = w_read(ql) >> vec4<u32>((j >> 1u) * 4u);
  let b = w_read(ql + 1u) >> vec4<u32>((j >> 1u) * 4u);
  let c = w_read(qh) >> vec4<u32>(j * 2u);
  let d = w_read(qh + 1u) >> vec4<u32>(j * 2u);
  var first = q6_k_quants(a.x, c.x) * (*x)[0];
  first += q6_k_quants(a.y, c.y) * (*x)[1];
  first += q6_k_quants(a.z, c.z) * (*x)[2];
  first += q6_k_quants(a.w, c.w) * (*x)[3];
  var second = q6_k_quants(b.x, d.x) * (*x)[4];
  second += q6_k_quants(b.y, d.y) * (*x)[5];
  second += q6_k_quants(b.z, d.z) * (*x)[6];
  second += q6_k_quants(b.w, d.w) * (*x)[7];
  let sum = first * ds.x + second * ds.y;
  return (sum.x + sum.y) + (sum.z + sum.w);
}
fn w_load32(kind: u32, base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  return q6_k_load32(base, n_units, unit);
}
fn w_dot32(kind: u32, base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  return q6_k_dot32(base, n_units, unit, x);
}
// How the next token is chosen; written once per request.
struct Sampling {
  inv_temperature: f32, // 1 when greedy
  top_k: u32, // 1 … 256
  top_p: f32,
  min_p: f32,
  seed: u32,
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
// logits = W · norm(residual), and of every group of GROUP_ROWS consecutive rows {max, its id, Σ e^((logit − max) / temperature)}: what
// sampling needs to look at a few groups instead of the vocabulary. A worker takes whole groups, so their sums have one order.
struct Params {
  first_row: u32, // of the shard, a multiple of GROUP_ROWS
  n_rows: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> sampling: Sampling;
@group(0) @binding(2) var<storage, read> weights: array<vec4<u32>>; // planes of the shard
@group(0) @binding(3) var<storage, read> globals: array<vec4<f32>>; // norm [D] first
@group(0) @binding(4) var<storage, read> residual: array<vec4<f32>>; // [D]
@group(0) @binding(5) var<storage, read_write> logits: array<f32>; // [V]
@group(0) @binding(6) var<storage, read_write> groups: array<vec4<u32>>; // [groups] {max f32, id, sum f32, 0}

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return residual[i];
}

fn g_read(i: u32) -> vec4<f32> {
  return globals[i];
}

fn run(lanes: Lanes, group_y: u32) {
  for (var first = lanes.worker * GROUP_ROWS; first < params.n_rows; first += lanes.n_workers * GROUP_ROWS) {
    let end = min(first + GROUP_ROWS, params.n_rows);
    var greatest = -3.4028234e38;
    var greatest_row = first;
    var sum = 0.0;
    for (var row = first; row < end; row += 4u) {
      let results = normed_dots(lanes, 0u, 0u, params.n_rows, row);
      for (var i = 0u; i < min(4u, end - row); i++) {
        let logit = results[i];
        if (lanes.lane == 0u) {
          logits[params.first_row + row + i] = logit;
        }
        if (logit > greatest) {
          sum *= exp(max(greatest - logit, -1e4) * sampling.inv_temperature);
          greatest = logit;
          greatest_row = row + i;
        }
        sum += exp((logit - greatest) * sampling.inv_temperature);
      }
    }
    if (lanes.lane == 0u) {
      let id = params.first_row + greatest_row;
      groups[(params.first_row + first) / GROUP_ROWS] = vec4<u32>(bitcast<u32>(greatest), id, bitcast<u32>(sum), 0u);
    }
  }
}
