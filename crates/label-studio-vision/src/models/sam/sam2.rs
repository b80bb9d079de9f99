//! SAM 2 and 2.1 on single images.

use std::{path::Path, sync::Arc};

use image::RgbImage;
use label_studio_inference::onnx::{Engine, Expected, ExpectedTensor, Runtime};
use ndarray::Array4;

use super::{
    Embedding, MaskChoice, Prompt, PromptedModel, SamError, ScoredMask, sam2_decoder::Decoder,
};
use crate::{
    images::{Filter, Normalise, PreprocessorConfig, resize_f32},
    masks::Mask,
};

/// Side of the input where the file leaves it open.
const DEFAULT_SIDE: u32 = 1024;

/// Segment Anything 2 and 2.1, on single images.
pub struct Sam2 {
    encoder: Arc<dyn Engine>,
    input: String,
    outputs: [&'static str; 3],
    side: u32,
    normalise: Normalise,
    decoder: Decoder,
    choice: MaskChoice,
}

/// Names of the encoder's outputs in the two exports: the finest map first, the embedding last.
const OUTPUTS: [[&str; 3]; 2] = [
    ["high_res_feats_0", "high_res_feats_1", "image_embed"],
    [
        "image_embeddings.0",
        "image_embeddings.1",
        "image_embeddings.2",
    ],
];

impl Sam2 {
    /// Loads an encoder and a decoder, both exported by `samexporter` or both by the transformers
    /// library. [`MaskChoice::Auto`] always takes the best candidate, as the original does.
    pub fn load(
        runtime: &Runtime,
        encoder: impl AsRef<Path>,
        decoder: impl AsRef<Path>,
        choice: MaskChoice,
    ) -> Result<Self, SamError> {
        let encoder = encoder.as_ref();
        let normalise = PreprocessorConfig::normalise_beside(encoder, Normalise::IMAGENET)?;
        let encoder = runtime.load(encoder)?;
        let outputs = OUTPUTS
            .into_iter()
            .find(|names| encoder.output(names[2]).is_some())
            .unwrap_or(OUTPUTS[0]);
        let input = encoder
            .inputs()
            .first()
            .map_or("image", |input| &input.name)
            .to_owned();
        let map = |name| ExpectedTensor::f32(name, &[1, -1, -1, -1]);
        Expected {
            what: "a SAM 2 image encoder",
            inputs: &[ExpectedTensor::f32(&input, &[1, 3, -1, -1])],
            outputs: &outputs.map(map),
        }
        .check(encoder.as_ref())?;
        let side = encoder.inputs()[0].fixed(2);
        let decoder = Decoder::load(runtime.load(decoder)?, encoder.as_ref(), &outputs)?;
        let choice = match choice {
            MaskChoice::Auto => MaskChoice::Best,
            choice => choice,
        };
        Ok(Self {
            side: side
                .and_then(|side| u32::try_from(side).ok())
                .unwrap_or(DEFAULT_SIDE),
            encoder,
            input,
            outputs,
            normalise,
            decoder,
            choice,
        })
    }

    /// Moves prompts into the square, over which the image is stretched. Corners come before
    /// clicks, padding last.
    fn points(&self, image: (u32, u32), prompt: &Prompt) -> (Vec<[f64; 2]>, Vec<i8>) {
        let ratio = |length: u32| f64::from(self.side) / f64::from(length.max(1));
        let (x_ratio, y_ratio) = (ratio(image.0), ratio(image.1));
        let corners = prompt
            .rectangle
            .map(|[left, top, right, bottom]| [([left, top], 2), ([right, bottom], 3)]);
        let clicks = prompt.clicks.iter();
        let clicks = clicks.map(|click| ([click.x, click.y], i8::from(click.is_positive)));
        corners
            .into_iter()
            .flatten()
            .chain(clicks)
            .map(|([x, y], label)| ([x * x_ratio, y * y_ratio], label))
            .unzip()
    }
}

impl PromptedModel for Sam2 {
    fn encode(&self, image: &RgbImage) -> Result<Embedding, SamError> {
        let resized = resize_f32(image, self.side, self.side, Filter::PillowBilinear);
        let side = self.side as usize;
        let Normalise { divisor, mean, std } = self.normalise;
        let samples = resized.as_raw();
        let pixels = Array4::from_shape_fn((1, 3, side, side), |(_, channel, y, x)| {
            (samples[(y * side + x) * 3 + channel] / divisor - mean[channel]) / std[channel]
        });
        let tensors = self
            .encoder
            .run_f32(&[(&self.input, (&pixels).into())], self.outputs)?;
        Ok(Embedding {
            image: image.dimensions(),
            tensors: tensors.into(),
        })
    }

    fn decode(&self, embedding: &Embedding, prompt: &Prompt) -> Result<ScoredMask, SamError> {
        let (points, labels) = self.points(embedding.image, prompt);
        let candidates = self.decoder.run(embedding, &points, &labels)?;
        let file = || self.decoder.file().to_owned();
        // The padding point counts, as it does for SAM.
        let (mask, score) = candidates.choose(self.choice, points.len() + 1, file)?;
        let (width, height) = embedding.image;
        Ok(ScoredMask {
            mask: Mask::from_scores(&mask, width as usize, height as usize, 0.0),
            score: f64::from(score),
        })
    }
}
