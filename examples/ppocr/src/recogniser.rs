//! Reads lines of text.

use std::{
    path::Path,
    sync::{Arc, OnceLock},
};

use image::RgbImage;
use label_studio_inference::onnx::{Engine, OnnxError, Runtime};
use label_studio_ml::anyhow::{self, bail};
use label_studio_vision::{
    batches::in_parallel,
    models::text_recognition::{Alphabet, best_path, by_width, collapsed},
};
use ndarray::{Axis, Ix3};

use crate::{
    Dictionary, Pipeline,
    crops::{aspect, padded},
    expected::check,
};

/// Height of the input where the file leaves it open: that of PP-OCRv3 and later.
const HEIGHT: u32 = 48;
/// Least width of the input.
const MIN_WIDTH: f64 = 320.0;
/// Largest width; longer lines are squeezed.
const MAX_WIDTH: u32 = 3200;
/// Largest number of lines that are read at a time; each needs memory for the weights.
const MAX_RUNS: usize = 4;
/// Lines that are padded to one width: PaddleOCR's number.
const BATCH_SIZE: usize = 6;

/// Reads lines with a recogniser that was trained with CTC: SVTR or CRNN.
pub struct Recogniser {
    engine: Arc<dyn Engine>,
    dictionary: Dictionary,
    alphabet: OnceLock<Alphabet>,
    height: u32,
    width: Option<u32>,
    /// Lines that are padded to one width.
    batch_size: usize,
    /// Lines that run together.
    n_lines: usize,
    /// Runs at a time.
    n_runs: usize,
}

/// Lines that run together, by their positions, and the width of their input.
struct Run<'a> {
    lines: &'a [usize],
    width: u32,
}

impl Recogniser {
    /// Loads a recogniser, with the dictionary of the file if it has one, else with that which
    /// `fallback` reads.
    pub fn load(
        runtime: &Runtime,
        path: &Path,
        fallback: impl FnOnce() -> anyhow::Result<Dictionary>,
    ) -> anyhow::Result<Self> {
        let runtime = runtime.clone().with_parallel_runs(MAX_RUNS);
        let engine = runtime.load(path)?;
        check(engine.as_ref(), "a text recogniser", &[-1, -1, -1])?;
        let dictionary = match Dictionary::of_metadata(engine.as_ref()) {
            Some(dictionary) => dictionary,
            None => fallback()?,
        };
        let input = &engine.inputs()[0];
        let fixed = |axis| input.fixed(axis).and_then(|size| u32::try_from(size).ok());
        let batch_size = input.fixed(0).unwrap_or(BATCH_SIZE);
        // On a CPU several lines at once fit no cache, and take longer than one after the other.
        let n_lines = if runtime.may_use_gpu() { batch_size } else { 1 };
        let recogniser = Self {
            height: fixed(2).unwrap_or(HEIGHT),
            width: fixed(3),
            batch_size,
            n_lines: input.fixed(0).unwrap_or(n_lines),
            n_runs: runtime.n_sessions(),
            dictionary,
            alphabet: OnceLock::new(),
            engine,
        };
        if let Some(n_classes) = recogniser.engine.outputs()[0].fixed(2) {
            recogniser.alphabet(n_classes)?;
        }
        Ok(recogniser)
    }

    /// Sets how many lines are padded to one width, and run together on a GPU, unless the file fixes
    /// it.
    #[must_use]
    pub fn with_batch_size(mut self, batch_size: usize) -> Self {
        if self.engine.inputs()[0].fixed(0).is_none() {
            self.batch_size = batch_size.max(1);
            self.n_lines = if self.n_lines > 1 { self.batch_size } else { 1 };
        }
        self
    }

    /// Returns text and score of each line, in order. The score is the mean of the best classes'
    /// probabilities where a character begins, 0 for an empty text.
    pub fn read(&self, crops: &[RgbImage]) -> anyhow::Result<Vec<(String, f64)>> {
        let aspects: Vec<f64> = crops.iter().map(aspect).collect();
        let batches = by_width(&aspects, self.batch_size);
        // Wide lines come first, since they take longest.
        let runs: Vec<Run<'_>> = (batches.iter().rev())
            .flat_map(|batch| {
                let widest = batch.iter().map(|&idx| aspects[idx]).fold(0.0, f64::max);
                let width = self
                    .width
                    .unwrap_or_else(|| input_width(widest, self.height));
                (batch.chunks(self.n_lines)).map(move |lines| Run { lines, width })
            })
            .collect();
        let found = in_parallel(self.n_runs, &runs, |run| {
            let mut lines: Vec<_> = run.lines.iter().map(|&idx| &crops[idx]).collect();
            // A file may fix the number of lines.
            if let Some(n_lines) = self.engine.inputs()[0].fixed(0) {
                lines.resize(n_lines, lines[0]);
            }
            self.run(&lines, run.width)
        });
        let mut texts = vec![(String::new(), 0.0); crops.len()];
        for (run, found) in runs.iter().zip(found) {
            for (&idx, text) in run.lines.iter().zip(found?) {
                texts[idx] = text;
            }
        }
        Ok(texts)
    }

    fn run(&self, lines: &[&RgbImage], width: u32) -> anyhow::Result<Vec<(String, f64)>> {
        let pixels = padded(lines, (width, self.height), Pipeline::HALF);
        let (input, output) = (
            &self.engine.inputs()[0].name,
            &self.engine.outputs()[0].name,
        );
        let [scores] = self
            .engine
            .run_f32(&[(input, (&pixels).into())], [output])?;
        let shape = format!("{:?}", scores.shape());
        let scores = scores.into_dimensionality::<Ix3>().ok();
        let Some(scores) = scores.filter(|scores| scores.len_of(Axis(0)) == lines.len()) else {
            bail!(
                "model file {:?} answers {} lines with the shape {shape}: this is no text recogniser with scores of \
                 [lines, steps, classes]",
                self.engine.file(),
                lines.len()
            );
        };
        let alphabet = self.alphabet(scores.len_of(Axis(2)))?;
        let texts = scores.outer_iter().map(|scores| {
            let steps = collapsed(&best_path(&scores));
            let text = alphabet.text(steps.iter().map(|step| step.class));
            let sum: f64 = steps.iter().map(|step| f64::from(step.score)).sum();
            #[expect(clippy::cast_precision_loss, reason = "a few hundred steps")]
            let score = sum / steps.len().max(1) as f64;
            (text, score)
        });
        Ok(texts.collect())
    }

    /// Returns the characters of a number of classes, which does not change between runs.
    fn alphabet(&self, n_classes: usize) -> Result<&Alphabet, OnnxError> {
        if let Some(alphabet) = self.alphabet.get()
            && alphabet.n_classes() == n_classes
        {
            return Ok(alphabet);
        }
        let n_characters = self.dictionary.0.len();
        let alphabet = self.dictionary.clone().alphabet(n_classes);
        let alphabet = alphabet.ok_or_else(|| OnnxError::Unexpected {
            file: self.engine.file().to_owned(),
            what: format!("the recogniser of a dictionary of {n_characters} characters"),
            problem: format!("it has {n_classes} classes"),
            expected: format!(
                "{} or {} classes (blank, characters, space); set REC_DICTIONARY to the dictionary of the model",
                n_characters + 1,
                n_characters + 2
            ),
            found: self.engine.outputs()[0].to_string(),
        })?;
        Ok(self.alphabet.get_or_init(|| alphabet))
    }
}

/// Returns the width of an input of a height for lines of at most an aspect (width by height).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "at most the largest width"
)]
pub fn input_width(aspect: f64, height: u32) -> u32 {
    let width = f64::from(height) * aspect;
    width.clamp(MIN_WIDTH, f64::from(MAX_WIDTH)) as u32
}
