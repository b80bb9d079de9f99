//! A network that takes batches of images.

use std::sync::Arc;

use image::RgbImage;
use label_studio_inference::onnx::{Engine, Expected, ExpectedTensor, OnnxError, Tensor};
use ndarray::Array4;

use crate::images::Normalise;

/// A loaded network whose only input is a batch of images. Shared between threads.
pub struct ImageNetwork {
    engine: Arc<dyn Engine>,
    input: String,
    outputs: Vec<String>,
    n_batch: Option<usize>,
    fixed_size: Option<(u32, u32)>,
}

impl ImageNetwork {
    /// Checks that the first input takes 32-bit floats of the shape images x 3 x height x width, and
    /// that there is no other. `outputs` are the tensors that a run returns, `what` is the kind of
    /// network that the file should hold, in words.
    pub fn new(
        engine: Arc<dyn Engine>,
        outputs: Vec<String>,
        what: &str,
    ) -> Result<Self, OnnxError> {
        let input = engine.inputs().first();
        let input = input.map_or("images", |input| &*input.name).to_owned();
        let expected = Expected {
            what,
            inputs: &[ExpectedTensor::f32(&input, &[-1, 3, -1, -1])],
            outputs: &[],
        };
        expected.check(engine.as_ref())?;
        let shape = &engine.input(&input).expect("the input was checked").shape;
        let fixed = |idx: usize| shape.get(idx).and_then(|side| u32::try_from(*side).ok());
        let fixed = |idx: usize| fixed(idx).filter(|side| *side > 0);
        Ok(Self {
            n_batch: fixed(0).map(|n| n as usize),
            fixed_size: fixed(3).zip(fixed(2)),
            input,
            outputs,
            engine,
        })
    }

    /// Returns the file that the network came from, for messages.
    pub fn file(&self) -> &str {
        self.engine.file()
    }

    /// Returns how many tensors a run returns.
    pub fn n_outputs(&self) -> usize {
        self.outputs.len()
    }

    /// Returns the number of images per run, if the export fixed it.
    pub fn max_images(&self) -> Option<usize> {
        self.n_batch
    }

    /// Returns width and height of the input, if the export fixed them.
    pub fn fixed_size(&self) -> Option<(u32, u32)> {
        self.fixed_size
    }

    /// Runs the network on inputs of the size `width` x `height`, which the images need not fill,
    /// and returns its outputs in the order that was asked for. The rest of an input is zeros, and
    /// so is the rest of a batch whose size the export fixed.
    pub fn run<'a>(
        &self,
        (width, height): (u32, u32),
        images: impl ExactSizeIterator<Item = &'a RgbImage>,
        normalise: &Normalise,
    ) -> Result<Vec<Tensor>, OnnxError> {
        let n_batch = self.n_batch.unwrap_or(images.len());
        let mut input = Array4::zeros((n_batch, 3, height as usize, width as usize));
        for (image, tensor) in images.zip(input.outer_iter_mut()) {
            normalise.write(image, tensor);
        }
        let outputs: Vec<_> = self.outputs.iter().map(String::as_str).collect();
        self.engine
            .run(&[(&*self.input, (&input).into())], &outputs)
    }
}
