//! A loaded detector: images in, boxes out.

use std::{path::Path, sync::Arc};

use label_studio_inference::onnx::Runtime;
use label_studio_ml::anyhow::{self, Context};
use label_studio_vision::{
    batches::{self, BatchModel, ImageNetwork},
    images::RgbImage,
};

use crate::{
    Detection, Family, Settings,
    decode::{Tensors, decode},
    placement::Placement,
};

/// A loaded detector. Shared between threads.
pub struct Detector {
    network: ImageNetwork,
    settings: Settings,
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
        let what = "a detector of the family that its settings name";
        let network = ImageNetwork::new(Arc::clone(&engine), outputs.clone(), what)?;
        for name in &outputs {
            engine.output(name).with_context(|| {
                format!(
                    "model file {} has no output {name}, which its family has",
                    engine.file()
                )
            })?;
        }
        Ok(Self { network, settings })
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
        let placement = Placement::new(
            image.dimensions(),
            &self.settings,
            self.network.fixed_size(),
        );
        Prepared {
            pixels: placement.apply(image, &self.settings),
            placement,
        }
    }

    fn run(&self, images: &[&Prepared], min_score: f64) -> anyhow::Result<Vec<Vec<Detection>>> {
        let pixels = images.iter().map(|image| &image.pixels);
        let size = images[0].placement.input;
        let tensors = self.network.run(size, pixels, &self.settings.normalise)?;
        let of_model = || format!("model file {}", self.network.file());
        let tensors = Tensors::new(tensors, images.len()).with_context(of_model)?;
        let all = images.iter().enumerate();
        all.map(|(idx, image)| decode(&self.settings, &tensors.of(idx), image.placement, min_score))
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
        self.detector.network.max_images()
    }

    fn run(&self, inputs: &[&Prepared]) -> anyhow::Result<Vec<Vec<Detection>>> {
        self.detector.run(inputs, self.min_score)
    }
}
