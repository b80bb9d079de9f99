//! From the tensors of a network to boxes.

mod mmdeploy;
mod rtdetr;
mod rtmdet;
mod yolov3;

use label_studio_inference::onnx::Tensor;
use label_studio_ml::anyhow::{self, Context, ensure};
use label_studio_vision::boxes::Suppression;
use ndarray::{ArrayD, ArrayViewD, Axis};

use crate::{Family, Settings, placement::Placement};

/// One box that a network found.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// Left, top, right and lower edge in pixels of the image.
    pub bounds: [f64; 4],
    /// Number of its class.
    pub class: usize,
    /// Score of the network, from 0 to 1.
    pub score: f64,
}

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
    fn of(&self, idx: usize) -> Vec<ArrayViewD<'_, f32>> {
        let arrays = self.arrays.iter();
        arrays.map(|array| array.index_axis(Axis(0), idx)).collect()
    }
}

/// Reads the boxes of one image, the best first, leaving out those below `min_score`.
pub(crate) fn decode(
    settings: &Settings,
    tensors: &Tensors,
    idx: usize,
    placement: Placement,
    min_score: f64,
) -> anyhow::Result<Vec<Detection>> {
    let tensors = tensors.of(idx);
    let mut found = match settings.family {
        Family::Mmdeploy => mmdeploy::decode(&tensors)?,
        Family::RtmdetRaw => rtmdet::decode(settings, &tensors, placement, min_score)?,
        Family::Yolov3Raw => yolov3::decode(settings, &tensors, placement)?,
        Family::Rtdetr => rtdetr::decode(settings, &tensors, placement)?,
    };
    let n_classes = settings.classes.len();
    found.retain(|detection| {
        detection.score >= min_score
            && detection.class < n_classes
            && detection.bounds.iter().all(|edge| edge.is_finite())
    });
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    for detection in &mut found {
        detection.bounds = placement.to_image(detection.bounds);
    }
    Ok(found)
}

/// Keeps the best boxes of each class.
fn suppressed(settings: &Settings, candidates: Vec<Detection>) -> Vec<Detection> {
    let boxes: Vec<_> = candidates
        .iter()
        .map(|candidate| candidate.bounds)
        .collect();
    let scores: Vec<_> = candidates.iter().map(|candidate| candidate.score).collect();
    let classes: Vec<_> = candidates.iter().map(|candidate| candidate.class).collect();
    let suppression = Suppression {
        max_overlap: settings.nms_threshold,
        max_kept: settings.max_boxes,
        ..Suppression::default()
    };
    let mut candidates: Vec<_> = candidates.into_iter().map(Some).collect();
    let kept = suppression.keep(&boxes, &scores, &classes).into_iter();
    kept.filter_map(|idx| candidates[idx].take()).collect()
}

fn sigmoid(x: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(x)).exp())
}

/// Views a tensor of one image as rows and columns.
fn table<'a>(
    tensor: Option<&'a ArrayViewD<'_, f32>>,
    what: &str,
) -> anyhow::Result<ndarray::ArrayView2<'a, f32>> {
    let tensor = tensor.with_context(|| format!("the model gives no {what}"))?;
    tensor
        .view()
        .into_dimensionality()
        .with_context(|| format!("the model gives {what} of the shape {:?}", tensor.shape()))
}
