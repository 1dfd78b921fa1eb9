// Attention of one new token over a split of the cache, online softmax (Milakov and Gimelshein 2018; Dao et al. 2022). A worker takes a query
// head: its lanes hold the units of q and of the sum, four positions share one reduction. Grid: (workers over heads, live splits).
// The split that holds the new position also clamps, norms, rotates and appends k and v; it uses them from registers, rounded as they are stored, while
// the other workers read only earlier positions: no race. While only split 0 lives its workers write the output, else partials.
// HAS_SINKS: its softmax begins with the head's sink, a logit that brings no value (Xiao et al. 2023). WINDOW > 0: only positions above
// the new one − WINDOW are seen; a split before them leaves a partial that weighs nothing.
@group(0) @binding(0) var<storage, read> qkv: array<f32>; // [(H + 2G)·Hd]
@group(0) @binding(1) var<storage, read> vectors: array<f32>; // q and k norms, sinks [H] at SINKS_AT
@group(0) @binding(2) var<storage, read> globals: array<f32>; // RoPE inverse frequencies at ROPE_OFFSET
@group(0) @binding(3) var<storage, read> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> keys: array<u32>; // [G, C] rows of a head (kvLayout)
@group(0) @binding(5) var<storage, read_write> values: array<u32>;
// output [H, Hd] | weighted [splits, H, Hd] at PARTIALS_AT | {max, sum} [splits, H] at SUMS_AT
@group(0) @binding(6) var<storage, read_write> attention: array<f32>;

const UNITS = HEAD_WIDTH / KV_UNIT;
const PER_LANE = (UNITS + MIN_LANES - 1u) / MIN_LANES;
const LEAST = -3.4028234e38;

fn with_norm(lanes: Lanes, start: u32, heads_at: u32, head: u32, n_heads: u32, weight: u32) -> Group {
  var g = Group(start, HEAD_WIDTH, weight, 1.0);
  if (WHOLE_ROW_NORM) {
    g = Group(heads_at, n_heads * HEAD_WIDTH, weight + head * HEAD_WIDTH, 1.0);
  }
  if (HAS_NORM) {
    var squares = 0.0;
    for (var i = lanes.lane; i < g.width; i += lanes.n_lanes) {
      let v = element(g, i);
      squares += v * v;
    }
    g.scale = 1.0 / sqrt(lane_sum(squares) / f32(g.width) + EPSILON);
  }
  g.start = start;
  return g;
}

fn query_group(lanes: Lanes, head: u32) -> Group {
  return with_norm(lanes, head * HEAD_WIDTH, 0u, head, N_HEADS, Q_NORM);
}

fn key_group(lanes: Lanes, kv_head: u32) -> Group {
  return with_norm(lanes, (N_HEADS + kv_head) * HEAD_WIDTH, N_HEADS * HEAD_WIDTH, kv_head, N_KV_HEADS, K_NORM);
}

fn run(lanes: Lanes, split: u32) {
  let position = state[STATE_POSITION];
  let first = split * SPLIT_TOKENS;
  if (first > position) {
    return;
  }
  let end = min(first + SPLIT_TOKENS, position);
  let appends = position - first < SPLIT_TOKENS;
  var seen = first;
  if (WINDOW > 0u && position >= WINDOW) {
    seen = max(first, position + 1u - WINDOW);
  }
  for (var head = lanes.worker; head < N_HEADS; head += lanes.n_workers) {
    let kv_head = head / (N_HEADS / N_KV_HEADS);
    let row = kv_head * CONTEXT_TOKENS;
    let query = query_group(lanes, head);
    var q: array<KvUnit, PER_LANE>;
    var sum: array<KvUnit, PER_LANE>;
    for (var j = 0u; j < PER_LANE; j++) {
      let unit = lanes.lane + j * lanes.n_lanes;
      q[j] = KvUnit();
      sum[j] = KvUnit();
      if (unit < UNITS) {
        q[j] = kv_rotated(query, unit, position) * SCALE;
      }
    }
    var greatest = LEAST;
    var total = 0.0;
    if (HAS_SINKS && appends) {
      greatest = vectors[SINKS_AT + head];
      total = 1.0;
    }
    for (var p = seen; p < end; p += 4u) {
      let last = end - 1u;
      let rows = vec4<u32>(row) + min(vec4<u32>(p, p + 1u, p + 2u, p + 3u), vec4<u32>(last));
      var dots = vec4<f32>();
      for (var j = 0u; j < PER_LANE; j++) {
        let unit = lanes.lane + j * lanes.n_lanes;
        if (unit < UNITS) {
          dots += vec4<f32>(
            dot(q[j], kv_load(false, rows.x, unit)),
            dot(q[j], kv_load(false, rows.y, unit)),
            dot(q[j], kv_load(false, rows.z, unit)),
            dot(q[j], kv_load(false, rows.w, unit)));
        }
      }
      let live = vec4<u32>(p) + vec4<u32>(0u, 1u, 2u, 3u) <= vec4<u32>(last);
      let scores = select(vec4<f32>(LEAST), lane_sum4(dots), live);
      let next = max(greatest, max(max(scores.x, scores.y), max(scores.z, scores.w)));
      let fade = exp(greatest - next);
      let weights = exp(scores - next);
      total = total * fade + ((weights.x + weights.y) + (weights.z + weights.w));
      greatest = next;
      for (var j = 0u; j < PER_LANE; j++) {
        let unit = lanes.lane + j * lanes.n_lanes;
        if (unit < UNITS) {
          sum[j] = sum[j] * fade
            + (weights.x * kv_load(true, rows.x, unit) + weights.y * kv_load(true, rows.y, unit))
            + (weights.z * kv_load(true, rows.z, unit) + weights.w * kv_load(true, rows.w, unit));
        }
      }
    }
    if (appends) {
      let key = key_group(lanes, kv_head);
      let value = Group((N_HEADS + N_KV_HEADS + kv_head) * HEAD_WIDTH, HEAD_WIDTH, 0u, 1.0);
      let stores = head % (N_HEADS / N_KV_HEADS) == 0u;
      var part = 0.0;
      for (var j = 0u; j < PER_LANE; j++) {
        let unit = lanes.lane + j * lanes.n_lanes;
        if (unit < UNITS) {
          part += dot(q[j], kv_append(false, key, unit, position, row + position, stores));
        }
      }
      let score = lane_sum(part);
      let next = max(greatest, score);
      let fade = exp(greatest - next);
      let weight = exp(score - next);
      total = total * fade + weight;
      greatest = next;
      for (var j = 0u; j < PER_LANE; j++) {
        let unit = lanes.lane + j * lanes.n_lanes;
        if (unit < UNITS) {
          sum[j] = sum[j] * fade + weight * kv_append(true, value, unit, position, row + position, stores);
        }
      }
    }
    let is_only = position < SPLIT_TOKENS;
    let out_at = select(PARTIALS_AT + (split * N_HEADS + head) * HEAD_WIDTH, head * HEAD_WIDTH, is_only);
    let divisor = select(1.0, total, is_only);
    for (var j = 0u; j < PER_LANE; j++) {
      let unit = lanes.lane + j * lanes.n_lanes;
      if (unit < UNITS) {
        let mixed = sum[j] / divisor;
        for (var e = 0u; e < KV_UNIT; e++) {
          attention[out_at + KV_UNIT * unit + e] = mixed[e];
        }
      }
    }
    if (!is_only && lanes.lane == 0u) {
      let sums_at = SUMS_AT + 2u * (split * N_HEADS + head);
      attention[sums_at] = greatest;
      attention[sums_at + 1u] = total;
    }
  }
}
