// A sink per head: a logit that brings no value, so that the softmax of the keys may sum to less than 1 (Xiao et al. 2023, gpt-oss).
@group(0) @binding(6) var<storage, read> vectors: array<f32>; // sinks [H] at params.sinks_at

// The greatest logit and Σ exp(logit − greatest) before any key.
fn before_keys(head: u32) -> vec2<f32> {
  return vec2<f32>(vectors[params.sinks_at + head], 1.0);
}
