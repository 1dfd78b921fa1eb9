// A unit of activations and its product with a unit of weights. The order of additions inside a unit is this one everywhere in prefill.
fn x_load32(i: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>(x[i], x[i + 1u], x[i + 2u], x[i + 3u], x[i + 4u], x[i + 5u], x[i + 6u], x[i + 7u]);
}

fn unit_dot(w: array<vec4<f32>, 8>, v: array<vec4<f32>, 8>) -> f32 {
  return ((dot(w[0], v[0]) + dot(w[1], v[1])) + (dot(w[2], v[2]) + dot(w[3], v[3])))
    + ((dot(w[4], v[4]) + dot(w[5], v[5])) + (dot(w[6], v[6]) + dot(w[7], v[7])));
}
