//! The tensors of a network.

use label_studio_inference::onnx::Tensor;
use label_studio_ml::anyhow::{self, Context, ensure};
use ndarray::{ArrayD, ArrayViewD, Axis};

/// The tensors of one run, in the order of the outputs that were asked for.
pub(crate) struct Tensors {
    arrays: Vec<ArrayD<f32>>,
}

impl Tensors {
    #[expect(clippy::cast_precision_loss, reason = "class numbers are small")]
    pub(crate) fn new(tensors: Vec<Tensor>, n_images: usize) -> anyhow::Result<Self> {
        let float = |tensor: Tensor| match tensor {
            Tensor::I64(array) => Some(array.mapv(|number| number as f32)),
            Tensor::I32(array) => Some(array.mapv(|number| number as f32)),
            tensor => tensor.into_f32(),
        };
        let arrays: Option<Vec<_>> = tensors.into_iter().map(float).collect();
        let arrays = arrays.context("the model's outputs are not numbers")?;
        ensure!(
            arrays
                .iter()
                .all(|array| array.ndim() > 0 && array.len_of(Axis(0)) >= n_images),
            "the model answers for fewer images than it was given"
        );
        Ok(Self { arrays })
    }

    /// Returns the tensors of one image.
    pub(crate) fn of(&self, idx: usize) -> Vec<ArrayViewD<'_, f32>> {
        let arrays = self.arrays.iter();
        arrays.map(|array| array.index_axis(Axis(0), idx)).collect()
    }
}

/// Turns a logit into a probability.
pub(super) fn sigmoid(x: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(x)).exp())
}

/// Views a tensor of one image as rows and columns.
pub(super) fn table<'a>(
    tensor: Option<&'a ArrayViewD<'_, f32>>,
    what: &str,
) -> anyhow::Result<ndarray::ArrayView2<'a, f32>> {
    let tensor = tensor.with_context(|| format!("the model gives no {what}"))?;
    tensor
        .view()
        .into_dimensionality()
        .with_context(|| format!("the model gives {what} of the shape {:?}", tensor.shape()))
}
