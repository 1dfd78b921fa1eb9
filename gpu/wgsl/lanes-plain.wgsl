// A worker is one invocation that does a whole row by itself: no subgroups, no workgroup memory, no barrier.
struct Lanes {
  worker: u32,
  n_workers: u32,
  lane: u32,
  n_lanes: u32,
}

fn lane_sum(v: f32) -> f32 {
  return v;
}

fn lane_sum2(v: vec2<f32>) -> vec2<f32> {
  return v;
}

fn lane_sum3(v: vec3<f32>) -> vec3<f32> {
  return v;
}

fn lane_sum4(v: vec4<f32>) -> vec4<f32> {
  return v;
}

fn lane_max(v: f32) -> f32 {
  return v;
}

fn lane_min_u32(v: u32) -> u32 {
  return v;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  run(Lanes(id.x, groups.x * WORKGROUP_SIZE, 0u, 1u), id.y);
}
