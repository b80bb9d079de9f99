//! Turns lines that are upside down.

use std::{path::Path, sync::Arc};

use image::{RgbImage, imageops};
use label_studio_inference::onnx::{Engine, OnnxError, Runtime};
use label_studio_ml::anyhow::{self, ensure};
use label_studio_vision::{batches::in_parallel, images::Normalise};

use crate::{
    Pipeline,
    crops::{padded, stretched},
    expected::check,
};

/// Class of lines that are upside down.
const UPSIDE_DOWN: usize = 1;
/// Lines that run together.
const BATCH_SIZE: usize = 6;
/// Largest number of runs at a time.
const MAX_RUNS: usize = 4;

/// How crops become the input of a classifier.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// The classifier of PP-OCR v2 to v4: 192 x 48 with padding; lines are turned if it is sure.
    Padded,
    /// PP-LCNet of PP-OCRv5: 160 x 80 without padding.
    Stretched,
}

/// Knows lines that are upside down.
pub struct LineOrientation {
    engine: Arc<dyn Engine>,
    kind: Kind,
    size: (u32, u32),
    /// Runs at a time.
    n_runs: usize,
}

impl LineOrientation {
    /// Loads a classifier. Its kind is told by the size of its input or, where the file leaves that
    /// open, by the name that newer exporters give the output.
    pub fn load(runtime: &Runtime, path: &Path) -> Result<Self, OnnxError> {
        let runtime = runtime.clone().with_parallel_runs(MAX_RUNS);
        let engine = runtime.load(path)?;
        check(engine.as_ref(), "a classifier of upright lines", &[-1, 2])?;
        let input = &engine.inputs()[0];
        let fixed = |axis| input.fixed(axis).and_then(|size| u32::try_from(size).ok());
        let is_newer = match fixed(2) {
            Some(height) => height >= 80,
            None => engine.outputs()[0].name.starts_with("fetch_name"),
        };
        let (kind, (width, height)) = if is_newer {
            (Kind::Stretched, (160, 80))
        } else {
            (Kind::Padded, (192, 48))
        };
        Ok(Self {
            kind,
            size: (fixed(3).unwrap_or(width), fixed(2).unwrap_or(height)),
            n_runs: runtime.n_sessions(),
            engine,
        })
    }

    /// Returns the lines upright.
    pub fn turned(&self, mut crops: Vec<RgbImage>) -> anyhow::Result<Vec<RgbImage>> {
        let batch_size = self.engine.inputs()[0].fixed(0).unwrap_or(BATCH_SIZE);
        let batches: Vec<&[RgbImage]> = crops.chunks(batch_size.max(1)).collect();
        let found = in_parallel(self.n_runs, &batches, |batch| {
            let mut lines: Vec<&RgbImage> = batch.iter().collect();
            // A file may fix the number of lines.
            if let Some(n_lines) = self.engine.inputs()[0].fixed(0) {
                lines.resize(n_lines, lines[0]);
            }
            let mut are_turned = self.are_upside_down(&lines)?;
            are_turned.truncate(batch.len());
            Ok::<_, anyhow::Error>(are_turned)
        });
        let are_turned = found
            .into_iter()
            .collect::<anyhow::Result<Vec<_>>>()?
            .concat();
        for (crop, is_turned) in crops.iter_mut().zip(are_turned) {
            if is_turned {
                imageops::rotate180_in_place(crop);
            }
        }
        Ok(crops)
    }

    fn are_upside_down(&self, lines: &[&RgbImage]) -> anyhow::Result<Vec<bool>> {
        let (pixels, least_score) = match self.kind {
            Kind::Padded => (padded(lines, self.size, Pipeline::HALF), 0.9),
            Kind::Stretched => (stretched(lines, self.size, Normalise::IMAGENET), 0.5),
        };
        let (input, output) = (
            &self.engine.inputs()[0].name,
            &self.engine.outputs()[0].name,
        );
        let [scores] = self
            .engine
            .run_f32(&[(input, (&pixels).into())], [output])?;
        ensure!(
            scores.shape() == [lines.len(), 2],
            "model file {:?} answers {} lines with the shape {:?}, [lines, 2] is expected",
            self.engine.file(),
            lines.len(),
            scores.shape()
        );
        let scores = scores.outer_iter();
        Ok(scores
            .map(|scores| scores[UPSIDE_DOWN] > least_score)
            .collect())
    }
}
