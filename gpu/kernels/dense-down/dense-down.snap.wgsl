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
const UNITS: u32 = 3u;
const ROWS: u32 = 64u;
const FIRST_ROW: u32 = 0u;
// BF16, plane: 32 weights = 4 vec4, two weights a word, the earlier one in the low half. See gpu/quant/bf16.ts.
fn bf16_pair(lo: u32, hi: u32) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(lo << 16u, lo & 0xFFFF0000u, hi << 16u, hi & 0xFFFF0000u));
}

fn bf16_load32(base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  let at = base + unit * 4u;
  let a = w_read(at);
  let b = w_read(at + 1u);
  let c = w_read(at + 2u);
  let d = w_read(at + 3u);
  return array<vec4<f32>, 8>(
    bf16_pair(a.x, a.y), bf16_pair(a.z, a.w), bf16_pair(b.x, b.y), bf16_pair(b.z, b.w),
    bf16_pair(c.x, c.y), bf16_pair(c.z, c.w), bf16_pair(d.x, d.y), bf16_pair(d.z, d.w));
}

fn bf16_dot32(base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  let at = base + unit * 4u;
  let a = w_read(at);
  let b = w_read(at + 1u);
  let c = w_read(at + 2u);
  let d = w_read(at + 3u);
  var sum = bf16_pair(a.x, a.y) * (*x)[0];
  sum += bf16_pair(a.z, a.w) * (*x)[1];
  sum += bf16_pair(b.x, b.y) * (*x)[2];
  sum += bf16_pair(b.z, b.w) * (*x)[3];
  sum += bf16_pair(c.x, c.y) * (*x)[4];
  sum += bf16_pair(c.z, c.w) * (*x)[5];
  sum += bf16_pair(d.x, d.y) * (*x)[6];
  sum += bf16_pair(d.z, d.w) * (*x)[7];
  return (sum.x + sum.y) + (sum.z + sum.w);
}
fn w_load32(kind: u32, base: u32, n_units: u32, unit: u32) -> array<vec4<f32>, 8> {
  return bf16_load32(base, n_units, unit);
}
fn w_dot32(kind: u32, base: u32, n_units: u32, unit: u32, x: ptr<function, array<vec4<f32>, 8>>) -> f32 {
  return bf16_dot32(base, n_units, unit, x);
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
// h_out = h_mid + W · hidden: down rows of a dense feed-forward layer, out of place.
@group(0) @binding(0) var<storage, read> weights: array<vec4<u32>>; // planes of a shard of the down matrix [D, F]
@group(0) @binding(1) var<storage, read> hidden: array<vec4<f32>>; // [F]
@group(0) @binding(2) var<storage, read> h_mid: array<f32>; // [D]
@group(0) @binding(3) var<storage, read_write> h_out: array<f32>; // [D]

fn w_read(i: u32) -> vec4<u32> {
  return weights[i];
}

fn x_read(i: u32) -> vec4<f32> {
  return hidden[i];
}

fn run(lanes: Lanes, group_y: u32) {
  for (var row = 4u * lanes.worker; row < ROWS; row += 4u * lanes.n_workers) {
    let results = row_dots(lanes, 0u, 0u, ROWS, UNITS, row);
    if (lanes.lane == 0u) {
      for (var i = 0u; i < min(4u, ROWS - row); i++) {
        let at = FIRST_ROW + row + i;
        h_out[at] = h_mid[at] + results[i];
      }
    }
  }
}
