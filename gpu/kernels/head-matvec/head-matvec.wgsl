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
