//! Finds lines of text.

use std::{path::Path, sync::Arc};

use label_studio_inference::onnx::{Engine, OnnxError, Runtime};
use label_studio_ml::anyhow::{self, bail};
use label_studio_vision::{
    images::{Filter, RgbImage, resize, to_bgr},
    models::text_detection::{DbOptions, ProbabilityMap, TextBox, reading_order},
};
use ndarray::{Axis, Ix4};

use crate::{DetectorInput, expected::check};

/// Boxes with a shorter side, in pixels, are left out where a pipeline asks for it.
const THIN: f32 = 4.0;
/// The same for boxes of a tiny image that was enlarged; DB's own limit.
const THIN_OF_TINY: f32 = 3.0;

/// Finds lines of text with differentiable binarisation.
pub struct Detector {
    engine: Arc<dyn Engine>,
    /// Width and height of the input, where the file fixes them.
    size: Option<(u32, u32)>,
    /// How images become its input.
    pub input: DetectorInput,
    /// How boxes are found on its map.
    pub options: DbOptions,
    /// Whether boxes end at the last pixel, and thin ones are left out.
    pub drops_thin_boxes: bool,
}

impl Detector {
    /// Loads a detector: one input of images, and one map as output.
    pub fn load(
        runtime: &Runtime,
        path: &Path,
        input: DetectorInput,
        options: DbOptions,
    ) -> Result<Self, OnnxError> {
        let engine = runtime.load(path)?;
        check(engine.as_ref(), "a text detector", &[-1, 1, -1, -1])?;
        let pixels = &engine.inputs()[0];
        let fixed = |axis| pixels.fixed(axis).and_then(|side| u32::try_from(side).ok());
        Ok(Self {
            size: fixed(3).zip(fixed(2)),
            engine,
            input,
            options,
            drops_thin_boxes: false,
        })
    }

    /// Returns the lines of an image in the order in which they are read, in its pixels.
    pub fn lines(&self, image: &RgbImage) -> anyhow::Result<Vec<TextBox>> {
        let (width, height) = image.dimensions();
        let padded = DetectorInput::padded(image);
        let boxes = self.boxes(padded.as_ref().unwrap_or(image))?.into_iter();
        let last = (width.saturating_sub(1), height.saturating_sub(1));
        let boxes = boxes.filter_map(|found| match &padded {
            _ if self.drops_thin_boxes => clipped(found, last, THIN),
            Some(_) => clipped(found, (width, height), THIN_OF_TINY),
            None => Some(found),
        });
        Ok(reading_order(boxes.collect()))
    }

    /// Returns the boxes of an image, in its pixels.
    fn boxes(&self, image: &RgbImage) -> anyhow::Result<Vec<TextBox>> {
        let (width, height) = (self.size).unwrap_or_else(|| self.input.size(image.dimensions()));
        let mut scaled = resize(image, width, height, Filter::OpenCvLinear);
        to_bgr(&mut scaled);
        let pixels = self.input.normalise.nchw(&scaled);
        drop(scaled);
        let (input, output) = (
            &self.engine.inputs()[0].name,
            &self.engine.outputs()[0].name,
        );
        let [map] = self
            .engine
            .run_f32(&[(input, (&pixels).into())], [output])?;
        let shape = format!("{:?}", map.shape());
        let map = map.into_dimensionality::<Ix4>().ok().filter(|map| {
            let (n_images, n_maps, height, width) = map.dim();
            (n_images, n_maps) == (1, 1) && height > 0 && width > 0
        });
        let Some(map) = map else {
            bail!(
                "model file {:?} answers with the shape {shape}: this is no text detector with a map of [1, 1, height, \
                 width]",
                self.engine.file()
            );
        };
        let of_image = map.index_axis(Axis(0), 0);
        let map = ProbabilityMap {
            values: of_image.index_axis(Axis(0), 0),
            image_size: image.dimensions(),
        };
        Ok(map.boxes(&self.options))
    }
}

/// Moves corners to positions up to `last`, as RapidOCR does; `None` if a side is then below `thin`.
#[expect(
    clippy::cast_precision_loss,
    reason = "images have fewer than 2^24 columns"
)]
fn clipped(found: TextBox, last: (u32, u32), thin: f32) -> Option<TextBox> {
    let quad = found.quad.ordered().map(|[x, y]| {
        [
            x.clamp(0.0, last.0 as f32).trunc(),
            y.clamp(0.0, last.1 as f32).trunc(),
        ]
    });
    let [top, .., left] = quad.sides();
    (top >= thin && left >= thin).then_some(TextBox { quad, ..found })
}
