//! Parameters from files.

use super::parameters::{Initial, Layout, Tensor};
use crate::{
    checkpoint::{CheckpointError, TensorFiles},
    numbers::dropout::mixed,
};

/// Old names of parts of tensors, as the first checkpoints of BERT have them.
const OLD_NAMES: [(&str, &str); 2] = [
    ("LayerNorm.weight", "LayerNorm.gamma"),
    ("LayerNorm.bias", "LayerNorm.beta"),
];

/// How parameters are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadOptions<'a> {
    /// Prefix of the encoder's tensors, which a file may lack.
    pub(crate) prefix: &'a str,
    /// Deviation of the numbers of new tensors.
    pub(crate) deviation: f32,
    /// Seed of tensors that have an initial value, and are missing or of another shape; `None`
    /// where they must be there.
    pub(crate) seed: Option<u64>,
}

/// Reads all parameters.
pub(crate) fn load_values(
    layout: &Layout,
    files: &TensorFiles,
    options: LoadOptions<'_>,
) -> Result<Vec<f32>, CheckpointError> {
    let mut values = vec![0.0; layout.n_values];
    for (number, tensor) in layout.tensors.iter().enumerate() {
        let out = &mut values[tensor.range.clone()];
        let name = name_in(files, options.prefix, tensor);
        match (tensor.initial, options.seed) {
            (Some(initial), Some(seed)) if !fits(files, &name, tensor) => {
                if initial == Initial::Normal {
                    fill_normal(out, options.deviation, seed ^ number as u64);
                }
            }
            _ => files.read_into(&name, &tensor.shape, out)?,
        }
    }
    Ok(values)
}

/// Returns the name that a tensor has in the files.
fn name_in(files: &TensorFiles, prefix: &str, tensor: &Tensor) -> String {
    let bare = tensor.name.strip_prefix(prefix);
    for name in [Some(tensor.name.as_str()), bare].into_iter().flatten() {
        if files.has(name) {
            return name.to_owned();
        }
        for (new, old) in OLD_NAMES {
            let old_name = name.replace(new, old);
            if files.has(&old_name) {
                return old_name;
            }
        }
    }
    tensor.name.clone()
}

fn fits(files: &TensorFiles, name: &str, tensor: &Tensor) -> bool {
    files.shape(name) == Some(&tensor.shape)
}

/// Fills values with numbers that are evenly distributed between `-bound` and `bound`.
pub(crate) fn fill_uniform(values: &mut [f32], bound: f32, seed: u64) {
    for (idx, value) in values.iter_mut().enumerate() {
        *value = bound * (2.0 * uniform(idx, seed) - 1.0);
    }
}

/// Returns a number between 0 and 1 that looks random.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "any number does as a seed, and 24 bits fit a float"
)]
fn uniform(number: usize, seed: u64) -> f32 {
    let bits = mixed(number as u32, (seed ^ (seed >> 32)) as u32) >> 8;
    (bits as f32 + 0.5) / 16_777_216.0
}

/// Fills values with normally distributed numbers (Box and Muller).
fn fill_normal(values: &mut [f32], deviation: f32, seed: u64) {
    let uniform = |number| uniform(number, seed);
    for (idx, value) in values.iter_mut().enumerate() {
        let (first, second) = (uniform(2 * idx), uniform(2 * idx + 1));
        let radius = (-2.0 * first.ln()).sqrt();
        *value = deviation * radius * (std::f32::consts::TAU * second).cos();
    }
}
