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
const Q_ROWS: u32 = 64u;
const KV_ROWS: u32 = 32u;
const Q_KIND: u32 = 0u;
const K_KIND: u32 = 0u;
const V_KIND: u32 = 1u;
const Q_BASE: u32 = 0u;
const K_BASE: u32 = 576u;
const V_BASE: u32 = 864u;
const NORM: u32 = 0u;
const HAS_BIAS: bool = true;
const Q_BIAS: u32 = 256u;
const K_BIAS: u32 = 320u;
const V_BIAS: u32 = 352u;
const EPSILON: f32 = 0.000001f;
// Q4_K, plane: blocks of 8 units as in the file, 9 vec4: {d, dmin, 12 bytes of 6-bit scales}, then nibbles, 2 vec4 for two units.
// w = (d·sc)·q − (dmin·mn). See gpu/quant/q4-k.ts.
fn q4_k_scale(header: vec4<u32>, group: u32) -> vec2<f32> {
  let shift = (group & 3u) * 8u;
  let a = header.y >> shift;
  let b = header.z >> shift;
  let c = header.w >> shift;
  let early = vec2<u32>(a & 63u, b & 63u);
  let late = vec2<u32>((c & 15u) | ((a >> 2u) & 48u), ((c >> 4u) & 15u) | ((b >> 2u) & 48u));
  return unpack2x16float(header.x) * vec2<f32>(select(late, early, group < 4u));
}

fn q4_k_low(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<i32>(bitcast<i32>(word)) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<i32>(15));
}

fn q4_k_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let block = base + (unit >> 3u) * 9u;
  let group = unit & 7u;
  let dm = q4_k_scale(w_read(block), group);
  let at = block + 1u + (group >> 1u) * 2u;
  let a = w_read(at) >> vec4<u32>((group & 1u) * 4u);
  let b = w_read(at + 1u) >> vec4<u32>((group & 1u) * 4u);
  return array<vec4<f32>, 8>(
    q4_k_low(a.x) * dm.x - dm.y, q4_k_low(a.y) * dm.x - dm.y, q4_k_low(a.z) * dm.x - dm.y, q4_k_low(a.w) * dm.x - dm.y,
    q4_k_low(b.x) * dm.x - dm.y, q4_k_low(b.y) * dm.x - dm.y, q4_k_low(b.z) * dm.x - dm.y, q4_k_low(b.w) * dm.x - dm.y);
}

fn q4_k_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let block = base + (unit >> 3u) * 9u;
  let group = unit & 7u;
  let dm = q4_k_scale(w_read(block), group);
  let at = block + 1u + (group >> 1u) * 2u;
  let a = w_read(at) >> vec4<u32>((group & 1u) * 4u);
  let b = w_read(at + 1u) >> vec4<u32>((group & 1u) * 4u);
  var sum = (q4_k_low(a.x) * dm.x - dm.y) * (*x)[0];
  sum += (q4_k_low(a.y) * dm.x - dm.y) * (*x)[1];
  sum += (q4_k_low(a.z) * dm.x - dm.y) * (*x)[2];
  sum += (q4_k_low(a.w) * dm.x - dm.y) * (*x)[3];
  sum += (q4_k_low(b.x) * dm.x - dm.y) * (*x)[4];
  sum += (q4_k_low(b.y) * dm.x - dm.y) * (*x)[5];
  sum += (q4_k_low(b.z) * dm.x - dm.y) * (*x)[6];
  sum += (q4_k_low(b.w) * dm.x - dm.y) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
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
  switch (kind) {
    case 1u: { return q6_k_load32(base, n_units, unit); }
    default: { return q4_k_load32(base, n_units, unit); }
  }
}
fn w_dot32(kind: u32, base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  switch (kind) {
    case 1u: { return q6_k_dot32(base, n_units, unit, x); }
    default: { return q4_k_dot32(base, n_units, unit, x); }
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
// qkv = [Wq; Wk; Wv] · norm(residual) + bias: one grid over the rows of all three, each matrix of its own tensor type.
// A worker (gpu/wgsl/lanes-*.wgsl) takes every n-th block of four rows.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of q, k, v at Q_BASE, K_BASE, V_BASE
@group(0) @binding(1) var<storage, read> vectors: array<vec4<f32>>; // norm [D] at NORM, biases at Q_BIAS, K_BIAS, V_BIAS (elements)
@group(0) @binding(2) var<storage, read> residual: array<vec4<f32>>; // [D]
@group(0) @binding(3) var<storage, read_write> qkv: array<f32>; // [(H + 2G)·Hd]

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return residual[i];
}

fn g_read(i: u32) -> vec4<f32> {
  return vectors[NORM / 4u + i];
}

fn run(lanes: Lanes, group_y: u32) {
  const Q_BLOCKS = (Q_ROWS + 3u) / 4u;
  const KV_BLOCKS = (KV_ROWS + 3u) / 4u;
  for (var block = lanes.worker; block < Q_BLOCKS + 2u * KV_BLOCKS; block += lanes.n_workers) {
    var kind = Q_KIND;
    var base = Q_BASE;
    var bias = Q_BIAS;
    var n_rows = Q_ROWS;
    var row = 4u * block;
    var out_at = 0u;
    if (block >= Q_BLOCKS + KV_BLOCKS) {
      kind = V_KIND;
      base = V_BASE;
      bias = V_BIAS;
      n_rows = KV_ROWS;
      row = 4u * (block - Q_BLOCKS - KV_BLOCKS);
      out_at = Q_ROWS + KV_ROWS;
    } else if (block >= Q_BLOCKS) {
      kind = K_KIND;
      base = K_BASE;
      bias = K_BIAS;
      n_rows = KV_ROWS;
      row = 4u * (block - Q_BLOCKS);
      out_at = Q_ROWS;
    }
    let results = normed_dots(lanes, kind, base, n_rows, row);
    if (lanes.lane == 0u) {
      for (var i = 0u; i < min(4u, n_rows - row); i++) {
        var result = results[i];
        if (HAS_BIAS) {
          result += vectors[(bias + row + i) / 4u][(bias + row + i) % 4u];
        }
        qkv[out_at + row + i] = result;
      }
    }
  }
}
