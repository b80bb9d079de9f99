//! A loaded detector: images in, boxes out.

use std::{path::Path, sync::Arc};

use label_studio_inference::onnx::{Engine, Expected, ExpectedTensor, Runtime};
use label_studio_ml::anyhow::{self, Context};
use label_studio_vision::{
    batches::{self, BatchModel},
    images::RgbImage,
};
use ndarray::Array4;

use crate::{
    Detection, Family, Settings,
    decode::{Tensors, decode},
    placement::Placement,
};

/// A loaded detector. Shared between threads.
pub struct Detector {
    engine: Arc<dyn Engine>,
    settings: Settings,
    input: String,
    outputs: Vec<String>,
    /// Images per run, if the export fixed it.
    n_batch: Option<usize>,
    /// Width and height of the input, if the export fixed them.
    fixed_size: Option<(u32, u32)>,
}

/// A detector with the minimum score of the boxes that it looks for.
pub(crate) struct Search<'a> {
    pub(crate) detector: &'a Detector,
    pub(crate) min_score: f64,
}

/// An image scaled to go into a network; the image itself is no longer needed.
#[derive(Debug, Clone)]
pub struct Prepared {
    pixels: RgbImage,
    placement: Placement,
}

impl Detector {
    /// Loads an ONNX file and its settings: those of the file `settings`, or else those of the file beside it.
    pub fn load(runtime: &Runtime, path: &Path, settings: Option<&Path>) -> anyhow::Result<Self> {
        let engine = runtime.load(path)?;
        let settings = Settings::of(engine.as_ref(), path, settings)?;
        let input = engine
            .inputs()
            .first()
            .map_or("input", |input| &*input.name)
            .to_owned();
        let named: &[&str] = match settings.family {
            Family::Mmdeploy => &["dets", "labels"],
            Family::Rtdetr => &["logits", "pred_boxes"],
            Family::RtmdetRaw | Family::Yolov3Raw => &[],
        };
        let n_outputs = if settings.family == Family::Yolov3Raw {
            3
        } else {
            2
        };
        let in_order = engine.outputs().iter().take(n_outputs);
        let outputs: Vec<String> = if named.is_empty() {
            in_order.map(|output| output.name.clone()).collect()
        } else {
            named.iter().map(|name| (*name).to_owned()).collect()
        };
        let expected = Expected {
            what: "a detector of the family that its settings name",
            inputs: &[ExpectedTensor::f32(&input, &[-1, 3, -1, -1])],
            outputs: &[],
        };
        expected.check(engine.as_ref())?;
        for name in &outputs {
            engine.output(name).with_context(|| {
                format!(
                    "model file {} has no output {name}, which its family has",
                    engine.file()
                )
            })?;
        }
        let shape = &engine.input(&input).expect("the input was checked").shape;
        let fixed = |idx: usize| shape.get(idx).and_then(|side| u32::try_from(*side).ok());
        let fixed = |idx: usize| fixed(idx).filter(|side| *side > 0);
        Ok(Self {
            n_batch: fixed(0).map(|n| n as usize),
            fixed_size: fixed(3).zip(fixed(2)),
            input,
            outputs,
            engine,
            settings,
        })
    }

    /// Returns what the detector knows about itself.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Returns the boxes of each image with at least the score `min_score`, the best first.
    pub fn detect(
        &self,
        prepared: &[Prepared],
        min_score: f64,
    ) -> Vec<anyhow::Result<Vec<Detection>>> {
        let search = Search {
            detector: self,
            min_score,
        };
        batches::run(&search, prepared)
    }

    /// Scales an image to go into the network.
    pub fn prepare(&self, image: &RgbImage) -> Prepared {
        let placement = Placement::new(image.dimensions(), &self.settings, self.fixed_size);
        Prepared {
            pixels: placement.apply(image, &self.settings),
            placement,
        }
    }

    fn run(&self, images: &[&Prepared], min_score: f64) -> anyhow::Result<Vec<Vec<Detection>>> {
        let (width, height) = images[0].placement.input;
        let n_batch = self.n_batch.unwrap_or(images.len());
        let mut input = Array4::zeros((n_batch, 3, height as usize, width as usize));
        for (image, tensor) in images.iter().zip(input.outer_iter_mut()) {
            self.settings.normalise.write(&image.pixels, tensor);
        }
        let names: Vec<_> = self.outputs.iter().map(String::as_str).collect();
        let tensors = self
            .engine
            .run(&[(&*self.input, (&input).into())], &names)?;
        let of_model = || format!("model file {}", self.engine.file());
        let tensors = Tensors::new(tensors, images.len()).with_context(of_model)?;
        let all = images.iter().enumerate();
        all.map(|(idx, image)| decode(&self.settings, &tensors, idx, image.placement, min_score))
            .collect::<anyhow::Result<_>>()
            .with_context(of_model)
    }
}

impl BatchModel for Search<'_> {
    type Input = Prepared;
    type Output = Vec<Detection>;

    fn prepare(&self, image: &RgbImage) -> anyhow::Result<Prepared> {
        Ok(self.detector.prepare(image))
    }

    fn input_size(&self, input: &Prepared) -> (u32, u32) {
        input.placement.input
    }

    fn max_inputs(&self) -> Option<usize> {
        self.detector.n_batch
    }

    fn run(&self, inputs: &[&Prepared]) -> anyhow::Result<Vec<Vec<Detection>>> {
        self.detector.run(inputs, self.min_score)
    }
}
