//! Runs the model on images.

use std::{path::Path, sync::Arc};

use label_studio_inference::onnx::{Engine, Runtime};
use ndarray::{Array3, Array4, ArrayD, ArrayView3, Axis, Ix3};

use super::{
    Detection, GroundingDinoError, ImageScale, Prompt, Thresholds,
    caption::{Caption, CaptionReader},
    frame::Frame,
    inputs::Inputs,
    scores::Queries,
};
use crate::{
    batches::{self, BatchModel},
    boxes::Suppression,
    images::{Normalise, PreprocessorConfig, RgbImage},
};

/// How the phrases of a prompt are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Phrases {
    /// Together if the file's metadata say that its graph computes the phrases of any prompt, else
    /// apart
    #[default]
    Auto,
    /// All phrases in one run
    Together,
    /// One run per phrase: right for every export, and slower
    Apart,
}

/// How a detector works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DetectorOptions {
    /// How the phrases of a prompt are run.
    pub phrases: Phrases,
    /// Images per run, where the file allows several.
    pub batch_size: usize,
    /// Maximum overlap of two boxes, beyond which the one with the lower score is dropped; 1 keeps
    /// all.
    pub max_overlap: f64,
}

impl Default for DetectorOptions {
    fn default() -> Self {
        Self {
            phrases: Phrases::Auto,
            batch_size: 4,
            max_overlap: 0.8,
        }
    }
}

/// Detects objects that a text names.
pub struct Detector {
    engine: Arc<dyn Engine>,
    inputs: Inputs,
    reader: CaptionReader,
    /// How images are scaled, if a file beside the model says so.
    scale: Option<ImageScale>,
    /// What the model wants of pixel values.
    normalise: Normalise,
    options: DetectorOptions,
}

/// A detector with a prompt and thresholds. Runs on several images at once.
pub struct Search<'a> {
    detector: &'a Detector,
    /// Captions with the position of their first phrase in the prompt.
    captions: Vec<(usize, Caption)>,
    thresholds: Thresholds,
}

/// An image scaled to go into the model.
#[derive(Debug, Clone)]
pub struct ScaledImage {
    frame: Frame,
    pixels: RgbImage,
}

/// A few images as one input.
struct Batch {
    frames: Vec<Frame>,
    pixels: Array4<f32>,
    mask: Array3<i64>,
}

impl Detector {
    /// Loads an exported model and the tokenizer of its text encoder.
    pub fn load(
        runtime: &Runtime,
        weights: impl AsRef<Path>,
        tokenizer: impl AsRef<Path>,
        options: DetectorOptions,
    ) -> Result<Self, GroundingDinoError> {
        let weights = weights.as_ref();
        let engine = runtime.load(weights)?;
        let config = PreprocessorConfig::beside(weights)?;
        let scale = config.as_ref().map(ImageScale::of).transpose()?.flatten();
        let normalise = PreprocessorConfig::normalise_beside(weights, Normalise::IMAGENET)?;
        let inputs = Inputs::of(engine.as_ref())?;
        let reader = CaptionReader::new(tokenizer.as_ref(), inputs.n_tokens)?;
        if options.phrases == Phrases::Auto && !inputs.knows_phrases {
            tracing::info!(
                file = engine.file(),
                "the model's file does not say that it can look for several phrases at once, so each gets its own run"
            );
        }
        Ok(Self {
            engine,
            inputs,
            reader,
            scale,
            normalise,
            options,
        })
    }

    /// Prepares the detection of a prompt.
    pub fn search(
        &self,
        prompt: &Prompt,
        thresholds: Thresholds,
    ) -> Result<Search<'_>, GroundingDinoError> {
        let is_together = match self.options.phrases {
            Phrases::Together => true,
            Phrases::Apart => false,
            Phrases::Auto => self.inputs.knows_phrases,
        };
        let captions = if is_together {
            vec![(0, self.reader.read(prompt)?)]
        } else {
            let apart = prompt.apart();
            let captions = apart.iter().enumerate();
            captions
                .map(|(first, prompt)| Ok((first, self.reader.read(prompt)?)))
                .collect::<Result<Vec<_>, GroundingDinoError>>()?
        };
        Ok(Search {
            detector: self,
            captions,
            thresholds,
        })
    }

    /// Detects a prompt in images, and returns one list per image.
    pub fn detect(
        &self,
        images: &[&RgbImage],
        prompt: &Prompt,
        thresholds: Thresholds,
    ) -> anyhow::Result<Vec<Vec<Detection>>> {
        let search = self.search(prompt, thresholds)?;
        let scaled: Vec<_> = images
            .iter()
            .map(|image| search.prepare(image))
            .collect::<anyhow::Result<_>>()?;
        batches::run(&search, &scaled).into_iter().collect()
    }

    fn run(
        &self,
        batch: &Batch,
        caption: &Caption,
        thresholds: Thresholds,
    ) -> Result<Vec<Vec<Detection>>, GroundingDinoError> {
        let outputs = self
            .inputs
            .run(self.engine.as_ref(), &batch.pixels, &batch.mask, caption)?;
        let [logits, boxes] = self.checked(&outputs, batch.frames.len(), caption)?;
        let per_image = logits.outer_iter().zip(boxes.outer_iter());
        per_image
            .zip(&batch.frames)
            .map(|((logits, boxes), frame)| {
                let queries = Queries { logits, boxes };
                let mut found = queries.detections(caption, &self.reader, thresholds)?;
                if !self.inputs.has_pixel_mask {
                    let (across, down) = frame.padding();
                    for detection in &mut found {
                        let [x1, y1, x2, y2] = detection.bounds;
                        detection.bounds = [x1 * across, y1 * down, x2 * across, y2 * down];
                    }
                }
                Ok(found)
            })
            .collect()
    }

    /// Returns the outputs as tables per image, if that is what they are.
    fn checked<'a>(
        &self,
        [logits, boxes]: &'a [ArrayD<f32>; 2],
        n_images: usize,
        caption: &Caption,
    ) -> Result<[ArrayView3<'a, f32>; 2], GroundingDinoError> {
        let shape = || GroundingDinoError::Shape {
            file: self.engine.file().to_owned(),
            found: format!("shapes {:?} and {:?}", logits.shape(), boxes.shape()),
        };
        let as_tables = |array: &'a ArrayD<f32>| array.view().into_dimensionality::<Ix3>();
        let logits = as_tables(logits).map_err(|_| shape())?;
        let boxes = as_tables(boxes).map_err(|_| shape())?;
        let (n_logits, n_queries, n_slots) = logits.dim();
        if n_logits != n_images
            || boxes.dim() != (n_images, n_queries, 4)
            || n_slots < caption.ids.len()
        {
            return Err(shape());
        }
        Ok([logits, boxes])
    }

    /// Drops the lower-scoring of overlapping boxes, and keeps the order.
    fn without_doubles(&self, found: Vec<Detection>) -> Vec<Detection> {
        if self.options.max_overlap >= 1.0 {
            return found;
        }
        let boxes: Vec<_> = found.iter().map(|detection| detection.bounds).collect();
        let scores: Vec<_> = found.iter().map(|detection| detection.score).collect();
        let suppression = Suppression {
            max_overlap: self.options.max_overlap,
            is_agnostic: true,
            max_candidates: usize::MAX,
            max_kept: usize::MAX,
            ..Suppression::default()
        };
        let mut kept = vec![false; found.len()];
        for idx in suppression.keep(&boxes, &scores, &vec![0; found.len()]) {
            kept[idx] = true;
        }
        let kept = found.into_iter().zip(kept).filter(|(_, is_kept)| *is_kept);
        kept.map(|(detection, _)| detection).collect()
    }
}

impl BatchModel for Search<'_> {
    type Input = ScaledImage;
    type Output = Vec<Detection>;

    fn prepare(&self, image: &RgbImage) -> anyhow::Result<ScaledImage> {
        let Detector { inputs, scale, .. } = self.detector;
        let frame = Frame::new(image.dimensions(), inputs.size, *scale);
        let pixels = frame.scale(image);
        Ok(ScaledImage { frame, pixels })
    }

    fn input_size(&self, input: &ScaledImage) -> (u32, u32) {
        input.frame.input
    }

    fn max_inputs(&self) -> Option<usize> {
        let Inputs { size, batch, .. } = self.detector.inputs;
        Some(match (size, batch) {
            // Images share a run only where the file fixes the size of the input.
            (None, _) => 1,
            (Some(_), Some(n_images)) => n_images,
            (Some(_), None) => self.detector.options.batch_size,
        })
    }

    fn run(&self, inputs: &[&ScaledImage]) -> anyhow::Result<Vec<Vec<Detection>>> {
        let batch = Batch::new(inputs, &self.detector.normalise);
        let mut found = vec![Vec::new(); inputs.len()];
        for (first_phrase, caption) in &self.captions {
            let outputs = self.detector.run(&batch, caption, self.thresholds)?;
            for (all, mut detections) in found.iter_mut().zip(outputs) {
                for detection in &mut detections {
                    detection.phrase = detection.phrase.map(|phrase| first_phrase + phrase);
                }
                all.append(&mut detections);
            }
        }
        let found = found.into_iter();
        Ok(found
            .map(|all| self.detector.without_doubles(all))
            .collect())
    }
}

impl Batch {
    fn new(images: &[&ScaledImage], normalise: &Normalise) -> Self {
        let (width, height) = images.first().map_or((1, 1), |image| image.frame.input);
        let (width, height) = (width as usize, height as usize);
        let mut pixels = Array4::zeros((images.len(), 3, height, width));
        let mut mask = Array3::zeros((images.len(), height, width));
        for (idx, image) in images.iter().enumerate() {
            image.frame.mark(mask.index_axis_mut(Axis(0), idx));
            normalise.write(&image.pixels, pixels.index_axis_mut(Axis(0), idx));
        }
        Self {
            frames: images.iter().map(|image| image.frame).collect(),
            pixels,
            mask,
        }
    }
}
