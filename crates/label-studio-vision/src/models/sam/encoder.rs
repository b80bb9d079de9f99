//! SAM's image encoder, in the forms in which it is exported.

use std::{path::Path, sync::Arc};

use image::RgbImage;
use label_studio_inference::onnx::{ElementType, Engine, Runtime};
use ndarray::{Array3, Array4, ArrayD, Axis};

use super::{Embedding, LongestSide, SamError};
use crate::images::{Filter, Normalise, PreprocessorConfig, resize};

/// Side of the input where the file leaves it open.
const DEFAULT_SIDE: u32 = 1024;
/// Pixels of the input per value of the embedding.
const PATCH: usize = 16;

/// Names of the outputs: the embedding, and for exports of the transformers library the positions.
const EMBEDDING: &str = "image_embeddings";
const POSITIONS: &str = "image_positional_embeddings";

pub(super) struct Encoder {
    engine: Arc<dyn Engine>,
    input: String,
    outputs: Vec<String>,
    takes_pixels: bool,
    normalise: Normalise,
    /// Side of the square input.
    pub(super) side: u32,
}

impl Encoder {
    pub(super) fn load(runtime: &Runtime, path: &Path) -> Result<Self, SamError> {
        let engine = runtime.load(path)?;
        let unfit = |problem: String| SamError::Files {
            file: engine.file().to_owned(),
            problem,
        };
        let inputs = || {
            let inputs: Vec<_> = engine.inputs().iter().map(ToString::to_string).collect();
            inputs.join(", ")
        };
        let [input] = engine.inputs() else {
            return Err(unfit(format!(
                "a SAM image encoder has one input, an image; the file has {}",
                inputs()
            )));
        };
        // Height, width, colour of plain pixels; or batch, colour, height, width of normalised
        // ones.
        let takes_pixels = input.accepts(ElementType::F32, &[-1, -1, 3]);
        if !takes_pixels && !input.accepts(ElementType::F32, &[1, 3, -1, -1]) {
            return Err(unfit(format!(
                "a SAM image encoder takes float32 [height, width, 3] or [1, 3, height, width]; the file takes {input}"
            )));
        }
        let embedding = match engine.output(EMBEDDING) {
            Some(embedding) => embedding,
            None if engine.outputs().len() == 1 => &engine.outputs()[0],
            None => return Err(unfit(format!("it has no output {EMBEDDING}"))),
        };
        if !embedding.accepts(ElementType::F32, &[1, -1, -1, -1]) {
            return Err(unfit(format!(
                "a SAM image encoder gives float32 [1, channels, rows, columns]; the file gives {embedding}"
            )));
        }
        let side = (!takes_pixels).then(|| input.fixed(2)).flatten();
        let side = side.or_else(|| Some(embedding.fixed(2)? * PATCH));
        let positions = engine.output(POSITIONS).map(|output| output.name.clone());
        Ok(Self {
            input: input.name.clone(),
            outputs: [embedding.name.clone()]
                .into_iter()
                .chain(positions)
                .collect(),
            takes_pixels,
            normalise: PreprocessorConfig::normalise_beside(path, Normalise::IMAGENET_BYTES)?,
            side: side
                .and_then(|side| u32::try_from(side).ok())
                .unwrap_or(DEFAULT_SIDE),
            engine,
        })
    }

    pub(super) fn file(&self) -> &str {
        self.engine.file()
    }

    /// Returns the channels of the embedding, if the file fixes them.
    pub(super) fn n_channels(&self) -> Option<usize> {
        self.engine.output(&self.outputs[0])?.fixed(1)
    }

    pub(super) fn gives_positions(&self) -> bool {
        self.outputs.len() > 1
    }

    pub(super) fn encode(&self, image: &RgbImage) -> Result<Embedding, SamError> {
        let (width, height) = LongestSide::new(image.dimensions(), self.side).visible();
        let resized = resize(image, width, height, Filter::PillowBilinear);
        let pixels = if self.takes_pixels {
            plain(&resized)
        } else {
            self.normalised(&resized).into_dyn()
        };
        let outputs: Vec<_> = self.outputs.iter().map(String::as_str).collect();
        let tensors = self
            .engine
            .run(&[(&self.input, (&pixels).into())], &outputs)?;
        Ok(Embedding {
            image: image.dimensions(),
            tensors: tensors
                .into_iter()
                .filter_map(label_studio_inference::onnx::Tensor::into_f32)
                .collect(),
        })
    }

    /// Pads after normalising, as the model was trained.
    fn normalised(&self, image: &RgbImage) -> Array4<f32> {
        let side = self.side as usize;
        let mut pixels = Array4::zeros((1, 3, side, side));
        self.normalise
            .write(image, pixels.index_axis_mut(Axis(0), 0));
        pixels
    }
}

fn plain(image: &RgbImage) -> ArrayD<f32> {
    let values = image.as_raw().iter().copied().map(f32::from).collect();
    let shape = (image.height() as usize, image.width() as usize, 3);
    Array3::from_shape_vec(shape, values)
        .expect("an RGB image holds three bytes per pixel")
        .into_dyn()
}
