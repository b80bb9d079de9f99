//! SAM: an encoder and a prompt decoder.

use std::{path::Path, sync::Arc};

use image::RgbImage;
use label_studio_inference::onnx::{Engine, Expected, ExpectedTensor, Runtime, TensorView};
use ndarray::{Array1, Array2, Array3, Array4, ArrayView2, Axis, Slice};

use super::{
    Embedding, LongestSide, MaskChoice, Prompt, PromptedModel, SamError, ScoredMask,
    candidates::Candidates, decoder_points, encoder::Encoder,
};
use crate::masks::Mask;

/// Values of a mask per value of the embedding, in each direction.
const MASK_SCALE: usize = 4;

const EMBEDDING: ExpectedTensor<'_> = ExpectedTensor::f32("image_embeddings", &[1, -1, -1, -1]);

/// The decoder as `segment_anything` exports it; `orig_im_size` and `low_res_masks` are not in
/// every file.
const ORIGINAL: Expected<'_> = Expected {
    what: "a SAM mask decoder",
    inputs: &[
        EMBEDDING,
        ExpectedTensor::f32("point_coords", &[1, -1, 2]),
        ExpectedTensor::f32("point_labels", &[1, -1]),
        ExpectedTensor::f32("mask_input", &[1, 1, -1, -1]),
        ExpectedTensor::f32("has_mask_input", &[1]),
        ExpectedTensor::f32("orig_im_size", &[2]),
    ],
    outputs: &[ExpectedTensor::f32("iou_predictions", &[1, -1])],
};

/// The decoder as the transformers library exports it: it takes clicks only.
const TRANSFORMERS: Expected<'_> = Expected {
    what: "a SAM mask decoder",
    inputs: &[
        EMBEDDING,
        ExpectedTensor::f32("image_positional_embeddings", &[1, -1, -1, -1]),
        ExpectedTensor::f32("input_points", &[-1, -1, -1, 2]),
        ExpectedTensor::i64("input_labels", &[-1, -1, -1]),
    ],
    outputs: &[
        ExpectedTensor::f32("iou_scores", &[-1, -1, -1]),
        ExpectedTensor::f32("pred_masks", &[-1, -1, -1, -1, -1]),
    ],
};

/// Segment Anything, the first generation: ViT-H, ViT-L, ViT-B and MobileSAM.
pub struct Sam {
    encoder: Encoder,
    decoder: Decoder,
    choice: MaskChoice,
}

enum Decoder {
    Original {
        engine: Arc<dyn Engine>,
        /// The input for a missing mask, and the 0 that marks it as missing.
        no_mask: Array4<f32>,
        takes_size: bool,
        masks: &'static str,
    },
    Transformers(Arc<dyn Engine>),
}

impl Sam {
    /// Loads an encoder and a decoder; how they were exported is read from the files.
    pub fn load(
        runtime: &Runtime,
        encoder: impl AsRef<Path>,
        decoder: impl AsRef<Path>,
        choice: MaskChoice,
    ) -> Result<Self, SamError> {
        let encoder = Encoder::load(runtime, encoder.as_ref())?;
        let engine = runtime.load(decoder)?;
        let unfit = |problem: String| SamError::Files {
            file: engine.file().to_owned(),
            problem,
        };
        let wanted = engine
            .input("image_embeddings")
            .and_then(|input| input.fixed(1));
        if let (Some(given), Some(wanted)) = (encoder.n_channels(), wanted)
            && given != wanted
        {
            return Err(unfit(format!(
                "it wants embeddings of {wanted} channels, the encoder {} gives {given}",
                encoder.file()
            )));
        }
        let decoder = if engine.input("input_points").is_some() {
            TRANSFORMERS.check(engine.as_ref())?;
            if !encoder.gives_positions() {
                return Err(unfit(format!(
                    "it wants image_positional_embeddings, which the encoder {} does not give",
                    encoder.file()
                )));
            }
            Decoder::Transformers(engine)
        } else {
            Decoder::original(engine, encoder.side)?
        };
        Ok(Self {
            encoder,
            decoder,
            choice,
        })
    }
}

impl PromptedModel for Sam {
    fn encode(&self, image: &RgbImage) -> Result<Embedding, SamError> {
        self.encoder.encode(image)
    }

    fn decode(&self, embedding: &Embedding, prompt: &Prompt) -> Result<ScoredMask, SamError> {
        let frame = LongestSide::new(embedding.image, self.encoder.side);
        let (points, labels) = decoder_points(&frame, prompt);
        let points = to_f32(&points);
        let [masks, scores] = match &self.decoder {
            Decoder::Original {
                engine,
                no_mask,
                takes_size,
                masks,
            } => {
                let (points, labels) = (
                    points.insert_axis(Axis(0)),
                    Array2::from_shape_vec((1, labels.len()), labels).expect("one row"),
                );
                let (width, height) = embedding.image;
                let no_mask_given = Array1::<f32>::zeros(1);
                #[expect(clippy::cast_precision_loss, reason = "sides of an image")]
                let size = Array1::from_vec(vec![height as f32, width as f32]);
                let mut inputs: Vec<(&str, TensorView<'_>)> = vec![
                    ("image_embeddings", (&embedding.tensors[0]).into()),
                    ("point_coords", (&points).into()),
                    ("point_labels", (&labels).into()),
                    ("mask_input", no_mask.into()),
                    ("has_mask_input", (&no_mask_given).into()),
                ];
                if *takes_size {
                    inputs.push(("orig_im_size", (&size).into()));
                }
                engine.run_f32(&inputs, [masks, "iou_predictions"])?
            }
            Decoder::Transformers(engine) => {
                if prompt.rectangle.is_some() {
                    return Err(SamError::Files {
                        file: engine.file().to_owned(),
                        problem: "this export of the transformers library takes clicks only, no rectangles".to_owned(),
                    });
                }
                // Its graph adds the padding point itself.
                let n_clicks = prompt.clicks.len();
                let points = points.slice_axis_move(Axis(0), Slice::from(..n_clicks));
                let points = points.insert_axis(Axis(0)).insert_axis(Axis(0));
                let labels = prompt
                    .clicks
                    .iter()
                    .map(|click| i64::from(click.is_positive));
                let labels = Array3::from_shape_vec((1, 1, n_clicks), labels.collect())
                    .expect("one label per click");
                let inputs: [(&str, TensorView<'_>); 4] = [
                    ("image_embeddings", (&embedding.tensors[0]).into()),
                    (
                        "image_positional_embeddings",
                        (&embedding.tensors[1]).into(),
                    ),
                    ("input_points", (&points).into()),
                    ("input_labels", (&labels).into()),
                ];
                engine.run_f32(&inputs, ["pred_masks", "iou_scores"])?
            }
        };
        let file = || self.decoder.engine().file().to_owned();
        let n_points = prompt_points(prompt);
        let candidates = Candidates { masks, scores };
        let (mask, score) = candidates.choose(self.choice, n_points, file)?;
        Ok(ScoredMask {
            mask: self.upscale(&mask, &frame),
            score: f64::from(score),
        })
    }
}

impl Sam {
    /// Stretches a mask over the square, cuts off the padding, and stretches what is left over the
    /// image.
    fn upscale(&self, mask: &ArrayView2<'_, f32>, frame: &LongestSide) -> Mask {
        let (width, height) = (frame.image.0 as usize, frame.image.1 as usize);
        if mask.dim() == (height, width) && !self.decoder.gives_low_resolution() {
            return Mask::from_scores(mask, width, height, 0.0);
        }
        let side = self.encoder.side as usize;
        let (visible_width, visible_height) = frame.visible();
        let visible = (visible_width as usize, visible_height as usize);
        let stretched = crate::masks::stretch(mask, (side, side), visible);
        Mask::from_scores(&stretched.view(), width, height, 0.0)
    }
}

impl Decoder {
    fn original(engine: Arc<dyn Engine>, side: u32) -> Result<Self, SamError> {
        let takes_size = engine.input("orig_im_size").is_some();
        let inputs = if takes_size {
            ORIGINAL.inputs
        } else {
            &ORIGINAL.inputs[..5]
        };
        Expected { inputs, ..ORIGINAL }.check(engine.as_ref())?;
        // The full-size masks of PyPI's segment_anything 1.0 are right for images of one shape
        // only.
        let masks = match engine.output("low_res_masks") {
            Some(_) => "low_res_masks",
            None => "masks",
        };
        let expected = [ExpectedTensor::f32(masks, &[1, -1, -1, -1])];
        Expected {
            inputs,
            outputs: &expected,
            ..ORIGINAL
        }
        .check(engine.as_ref())?;
        let mask_side = engine.input("mask_input").and_then(|input| input.fixed(2));
        let mask_side = mask_side.unwrap_or(side as usize / 16 * MASK_SCALE);
        Ok(Self::Original {
            no_mask: Array4::zeros((1, 1, mask_side, mask_side)),
            engine,
            takes_size,
            masks,
        })
    }

    fn engine(&self) -> &dyn Engine {
        match self {
            Self::Original { engine, .. } | Self::Transformers(engine) => engine.as_ref(),
        }
    }

    fn gives_low_resolution(&self) -> bool {
        !matches!(self, Self::Original { masks: "masks", .. })
    }
}

/// Counts the points of the decoder: clicks, corners and padding.
pub(super) fn prompt_points(prompt: &Prompt) -> usize {
    let (points, _) = decoder_points(&LongestSide::new((1, 1), 1), prompt);
    points.len()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "positions within a square of some thousand pixels"
)]
pub(super) fn to_f32(points: &[[f64; 2]]) -> Array2<f32> {
    Array2::from_shape_fn((points.len(), 2), |(idx, axis)| points[idx][axis] as f32)
}
