//! Buffers that are used again and again.

/// Values that are needed for a moment only.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// As wide as the hidden rows.
    pub(crate) branch: Vec<f32>,
    pub(crate) context: Vec<f32>,
    pub(crate) qkv: Vec<f32>,
    /// As wide as the intermediate rows.
    pub(crate) wide: Vec<f32>,
    pub(crate) scores: [Vec<f32>; 3],
    /// Gradients of projected distances: of keys and of queries.
    pub(crate) positions: [Vec<f32>; 2],
}

/// Gives a buffer a length, and returns it. What it holds does not matter.
pub(crate) fn resized(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    buffer.resize(len, 0.0);
    buffer
}
