// Biases of experts, [E, rows] from element `start` of the layer's vectors.
@group(0) @binding(8) var<storage, read> vectors: array<f32>;

fn biased(sum: f32, start: u32, expert: u32, row: u32) -> f32 {
  return sum + vectors[start + expert * params.rows + row];
}
