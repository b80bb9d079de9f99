//! SAM 2's prompt decoder, in the two forms in which it is exported.

use std::sync::Arc;

use label_studio_inference::onnx::{ElementType, Engine, Expected, ExpectedTensor, TensorView};
use ndarray::{Array1, Array2, Array3, Array4, Axis};

use super::{Embedding, SamError, candidates::Candidates, decoder::to_f32};

const F32: ElementType = ElementType::F32;
const MAP: &[i64] = &[1, -1, -1, -1];

const SAMEXPORTER: Expected<'_> = Expected {
    what: "a SAM 2 mask decoder",
    inputs: &[
        ExpectedTensor::f32("image_embed", MAP),
        ExpectedTensor::f32("high_res_feats_0", MAP),
        ExpectedTensor::f32("high_res_feats_1", MAP),
        ExpectedTensor::f32("point_coords", &[-1, -1, 2]),
        ExpectedTensor::f32("point_labels", &[-1, -1]),
        ExpectedTensor::f32("mask_input", &[-1, 1, -1, -1]),
        ExpectedTensor::f32("has_mask_input", &[-1]),
    ],
    outputs: &[
        ExpectedTensor::f32("masks", &[-1, -1, -1, -1]),
        ExpectedTensor::f32("iou_predictions", &[-1, -1]),
    ],
};

const TRANSFORMERS: Expected<'_> = Expected {
    what: "a SAM 2 mask decoder",
    inputs: &[
        ExpectedTensor::f32("input_points", &[-1, -1, -1, 2]),
        ExpectedTensor::i64("input_labels", &[-1, -1, -1]),
        ExpectedTensor::f32("input_boxes", &[-1, -1, 4]),
        ExpectedTensor::f32("image_embeddings.0", MAP),
        ExpectedTensor::f32("image_embeddings.1", MAP),
        ExpectedTensor::f32("image_embeddings.2", MAP),
    ],
    outputs: &[
        ExpectedTensor::f32("iou_scores", &[-1, -1, -1]),
        ExpectedTensor::f32("pred_masks", &[-1, -1, -1, -1, -1]),
    ],
};

/// Values of a mask per value of the embedding, in each direction.
const MASK_SCALE: usize = 4;

pub(super) enum Decoder {
    Samexporter {
        engine: Arc<dyn Engine>,
        no_mask: Array4<f32>,
        /// Type of the image's size, which older files want.
        size_type: Option<ElementType>,
    },
    Transformers(Arc<dyn Engine>),
}

impl Decoder {
    /// Checks that the decoder is one, and that it takes what the encoder gives.
    pub(super) fn load(
        engine: Arc<dyn Engine>,
        encoder: &dyn Engine,
        maps: &[&str; 3],
    ) -> Result<Self, SamError> {
        let is_transformers = engine.input("input_points").is_some();
        let size_type = engine.input("orig_im_size").map(|input| input.element_type);
        if is_transformers {
            TRANSFORMERS.check(engine.as_ref())?;
        } else {
            let size =
                size_type.map(|size_type| ExpectedTensor::new("orig_im_size", size_type, &[2_i64]));
            let inputs: Vec<_> = SAMEXPORTER.inputs.iter().copied().chain(size).collect();
            let inputs = &inputs;
            Expected {
                inputs,
                ..SAMEXPORTER
            }
            .check(engine.as_ref())?;
        }
        for map in maps {
            let given = encoder.output(map).expect("the encoder was checked");
            let problem = match engine.input(map) {
                Some(wanted) if wanted.accepts(F32, &given.shape) => continue,
                Some(wanted) => format!("it wants {wanted}, and the encoder gives {given}"),
                None => format!("it has no input {map}, which the encoder gives"),
            };
            return Err(SamError::Files {
                file: engine.file().to_owned(),
                problem: format!(
                    "{problem}: it belongs to another encoder than {}",
                    encoder.file()
                ),
            });
        }
        if is_transformers {
            return Ok(Self::Transformers(engine));
        }
        let mask_side = engine.input("mask_input").and_then(|input| input.fixed(2));
        let embedding_side = encoder.output(maps[2]).and_then(|output| output.fixed(2));
        let mask_side = mask_side.or_else(|| Some(embedding_side? * MASK_SCALE));
        let mask_side = mask_side.unwrap_or(256);
        Ok(Self::Samexporter {
            engine,
            no_mask: Array4::zeros((1, 1, mask_side, mask_side)),
            size_type,
        })
    }

    pub(super) fn file(&self) -> &str {
        match self {
            Self::Samexporter { engine, .. } | Self::Transformers(engine) => engine.file(),
        }
    }

    pub(super) fn run(
        &self,
        embedding: &Embedding,
        points: &[[f64; 2]],
        labels: &[i8],
    ) -> Result<Candidates, SamError> {
        let [fine, middle, coarse] = &embedding.tensors[..] else {
            unreachable!("the encoder gives three maps");
        };
        let [masks, scores] = match self {
            Self::Samexporter {
                engine,
                no_mask,
                size_type,
            } => {
                // The graph adds the padding point.
                let points = to_f32(points).insert_axis(Axis(0));
                let labels =
                    Array2::from_shape_fn((1, labels.len()), |(_, idx)| f32::from(labels[idx]));
                let no_mask_given = Array1::<f32>::zeros(1);
                let (width, height) = embedding.image;
                let size = Array1::from_vec(vec![i64::from(height), i64::from(width)]);
                let narrow_size = size.mapv(|side| i32::try_from(side).unwrap_or(i32::MAX));
                #[expect(clippy::cast_precision_loss, reason = "sides of an image")]
                let float_size = size.mapv(|side| side as f32);
                let mut inputs: Vec<(&str, TensorView<'_>)> = vec![
                    ("image_embed", coarse.into()),
                    ("high_res_feats_0", fine.into()),
                    ("high_res_feats_1", middle.into()),
                    ("point_coords", (&points).into()),
                    ("point_labels", (&labels).into()),
                    ("mask_input", no_mask.into()),
                    ("has_mask_input", (&no_mask_given).into()),
                ];
                if let Some(size_type) = size_type {
                    let size = match size_type {
                        ElementType::I64 => (&size).into(),
                        ElementType::I32 => (&narrow_size).into(),
                        _ => (&float_size).into(),
                    };
                    inputs.push(("orig_im_size", size));
                }
                engine.run_f32(&inputs, ["masks", "iou_predictions"])?
            }
            Self::Transformers(engine) => {
                // With boxes as an input, if empty, the graph adds no padding point.
                let mut points = points.to_vec();
                points.push([0.0, 0.0]);
                let points = to_f32(&points).insert_axis(Axis(0)).insert_axis(Axis(0));
                let mut labels: Vec<_> = labels.iter().copied().map(i64::from).collect();
                labels.push(-1);
                let labels = Array3::from_shape_vec((1, 1, labels.len()), labels).expect("one row");
                let no_boxes = Array3::<f32>::zeros((1, 0, 4));
                let inputs: [(&str, TensorView<'_>); 6] = [
                    ("input_points", (&points).into()),
                    ("input_labels", (&labels).into()),
                    ("input_boxes", (&no_boxes).into()),
                    ("image_embeddings.0", fine.into()),
                    ("image_embeddings.1", middle.into()),
                    ("image_embeddings.2", coarse.into()),
                ];
                engine.run_f32(&inputs, ["pred_masks", "iou_scores"])?
            }
        };
        Ok(Candidates { masks, scores })
    }
}
