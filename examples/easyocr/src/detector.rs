//! Finds boxes of words.

use std::{path::Path, sync::Arc};

use image::Rgb;
use label_studio_inference::onnx::{Engine, Runtime};
use label_studio_ml::anyhow::{self, bail, ensure};
use label_studio_vision::{
    images::{Filter, Normalise, RgbImage, resize},
    models::text_detection::{CraftOptions, HeatMaps},
};
use ndarray::{Array4, ArrayView3, Axis, Ix4, Slice};

/// Sides of an input are multiples of this.
const STRIDE: u32 = 32;
/// Pixels of the image's copy per pixel of the maps, in each direction.
const MAP_SCALE: f64 = 2.0;

/// Finds boxes of words with CRAFT (<https://arxiv.org/abs/1904.01941>).
pub struct Detector {
    engine: Arc<dyn Engine>,
    /// How boxes are found on the maps.
    pub options: CraftOptions,
    /// Longest side that an image is scaled to, in pixels.
    pub canvas_size: u32,
    /// How much an image is enlarged within that.
    pub mag_ratio: f64,
}

/// An image scaled to go into the detector.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectorInput {
    /// 1 x 3 x height x width.
    pub tensor: Array4<f32>,
    /// Pixels of the scaled image per pixel of the image.
    pub ratio: f64,
}

impl Detector {
    /// Loads a detector: an image as its input, and as output the maps of text and links.
    pub fn load(runtime: &Runtime, path: &Path) -> anyhow::Result<Self> {
        let engine = runtime.load(path)?;
        let is_image = |shape: &[i64]| shape.len() == 4 && matches!(shape[1], 3 | ..=-1);
        let (inputs, outputs) = (engine.inputs(), engine.outputs());
        let fits = inputs.len() == 1
            && is_image(&inputs[0].shape)
            && outputs
                .first()
                .is_some_and(|output| output.shape.len() == 4);
        if !fits {
            let list = |tensors: &[label_studio_inference::onnx::TensorInfo]| {
                let texts: Vec<_> = tensors.iter().map(ToString::to_string).collect();
                texts.join(", ")
            };
            bail!(
                "model file {:?} is no CRAFT detector: that has one input [1, 3, height, width] and an output \
                 [1, height/2, width/2, 2], this has inputs {} and outputs {}",
                engine.file(),
                list(inputs),
                list(outputs)
            );
        }
        Ok(Self {
            engine,
            options: CraftOptions::default(),
            canvas_size: 2560,
            mag_ratio: 1.0,
        })
    }

    /// Scales an image as EasyOCR's `resize_aspect_ratio` does.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sides of at most the canvas, cut off as in the library"
    )]
    pub fn prepare(&self, image: &RgbImage) -> DetectorInput {
        let longest = f64::from(image.width().max(image.height()));
        let target = (self.mag_ratio * longest).min(f64::from(self.canvas_size));
        let ratio = target / longest;
        let side = |side: u32| ((f64::from(side) * ratio) as u32).max(1);
        let (width, height) = (side(image.width()), side(image.height()));
        let padded = |side: u32| side.next_multiple_of(STRIDE) as usize;
        let normalise = Normalise::IMAGENET_BYTES;
        let black = normalise.nchw(&RgbImage::from_pixel(1, 1, Rgb([0; 3])));
        let mut tensor = Array4::zeros((1, 3, padded(height), padded(width)));
        tensor.assign(&black);
        let mut content = tensor.index_axis_mut(Axis(0), 0);
        content.slice_axis_inplace(Axis(1), Slice::from(..height as usize));
        content.slice_axis_inplace(Axis(2), Slice::from(..width as usize));
        if (width, height) == image.dimensions() {
            normalise.write(image, content);
        } else {
            let resized = resize(image, width, height, Filter::OpenCvLinear);
            normalise.write(&resized, content);
        }
        DetectorInput { tensor, ratio }
    }

    /// Returns the boxes of an image's words in its pixels: their corners from the top left one
    /// clockwise, cut off to whole pixels.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the precision of the library; positions near the image"
    )]
    pub fn boxes(&self, input: &DetectorInput) -> anyhow::Result<Vec<[[i64; 2]; 4]>> {
        let (name, output) = (
            &self.engine.inputs()[0].name,
            &self.engine.outputs()[0].name,
        );
        let tensor = (&input.tensor).into();
        let [maps] = self.engine.run_f32(&[(name, tensor)], [output])?;
        let shape = format!("{:?}", maps.shape());
        let maps = maps.into_dimensionality::<Ix4>().ok();
        let maps = maps.filter(|maps| maps.len_of(Axis(0)) == 1);
        let of_image = maps.as_ref().map(|maps| maps.index_axis(Axis(0), 0));
        let found = of_image.and_then(|maps| {
            let axis = channel_axis(&maps)?;
            let heat_maps = HeatMaps {
                text: maps.index_axis(axis, 0),
                link: maps.index_axis(axis, 1),
            };
            heat_maps.boxes(&self.options)
        });
        ensure!(
            found.is_some(),
            "model file {:?} answers with the shape {shape}: this is no CRAFT detector with maps of \
             [1, height/2, width/2, 2]",
            self.engine.file()
        );
        let scale = 1.0 / input.ratio * MAP_SCALE;
        let scaled = |pixels: f32| (f64::from(pixels) * scale) as f32 as i64;
        let boxes = found.into_iter().flatten();
        Ok(boxes
            .map(|found| found.quad.0.map(|corner| corner.map(scaled)))
            .collect())
    }
}

/// Returns the axis with the two maps: the last one as a rule, the first one in some exports.
fn channel_axis(maps: &ArrayView3<'_, f32>) -> Option<Axis> {
    [2, 0]
        .map(Axis)
        .into_iter()
        .find(|axis| maps.len_of(*axis) == 2)
}
