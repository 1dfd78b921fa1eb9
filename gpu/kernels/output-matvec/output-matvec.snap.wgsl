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
const ROWS: u32 = 20u;
const FIRST_ROW: u32 = 12u;
const HAS_BIAS: bool = true;
const BIAS: u32 = 5u;
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
// Dot products of matrix rows with an input vector: the kernel offers x_read(i) → elements 4i … 4i + 3. A worker takes four rows at a time,
// so that a unit of x is loaded once for them; each row's sum has the order that it would have alone.
fn load_x32(unit: u32, x: ptr<function, array<vec4<f32>, 8>>) {
  let at = unit * 8u;
  (*x)[0] = x_read(at);
  (*x)[1] = x_read(at + 1u);
  (*x)[2] = x_read(at + 2u);
  (*x)[3] = x_read(at + 3u);
  (*x)[4] = x_read(at + 4u);
  (*x)[5] = x_read(at + 5u);
  (*x)[6] = x_read(at + 6u);
  (*x)[7] = x_read(at + 7u);
}

// W[row … row + 3] · x for rows of `units` units; rows past the last give the last one's result. Every lane has the results.
fn row_dots(lanes: Lanes, kind: u32, base: u32, n_rows: u32, units: u32, row: u32) -> vec4<f32> {
  let n_units = n_rows * units;
  let starts = min(vec4<u32>(row, row + 1u, row + 2u, row + 3u), vec4<u32>(n_rows - 1u)) * units;
  var sums = vec4<f32>();
  for (var unit = lanes.lane; unit < units; unit += lanes.n_lanes) {
    var x: array<vec4<f32>, 8>;
    load_x32(unit, &x);
    sums += vec4<f32>(
      w_dot32(kind, base, n_units, starts.x + unit, &x),
      w_dot32(kind, base, n_units, starts.y + unit, &x),
      w_dot32(kind, base, n_units, starts.z + unit, &x),
      w_dot32(kind, base, n_units, starts.w + unit, &x));
  }
  return lane_sum4(sums);
}
// h_mid = residual + (Wo · attention + bias): attention's output projection, out of place.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of a shard of Wo [D, H·Hd]
@group(0) @binding(1) var<storage, read> vectors: array<f32>; // bias [D] at BIAS
@group(0) @binding(2) var<storage, read> attention: array<vec4<f32>>; // [H·Hd]
@group(0) @binding(3) var<storage, read> residual: array<f32>; // [D]
@group(0) @binding(4) var<storage, read_write> h_mid: array<f32>; // [D]

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return attention[i];
}

fn run(lanes: Lanes, group_y: u32) {
  for (var row = 4u * lanes.worker; row < ROWS; row += 4u * lanes.n_workers) {
    let results = row_dots(lanes, 0u, 0u, ROWS, UNITS, row);
    if (lanes.lane == 0u) {
      for (var i = 0u; i < min(4u, ROWS - row); i++) {
        let at = FIRST_ROW + row + i;
        var result = results[i];
        if (HAS_BIAS) {
          result += vectors[BIAS + at];
        }
        h_mid[at] = result + residual[at];
      }
    }
  }
}
