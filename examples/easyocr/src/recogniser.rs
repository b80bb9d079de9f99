//! Reads lines.

use std::{collections::HashSet, path::Path, sync::Arc};

use clap::ValueEnum;
use image::GrayImage;
use label_studio_inference::onnx::{Engine, Runtime, TensorInfo};
use label_studio_ml::anyhow::{self, bail, ensure};
use label_studio_vision::{
    images::{Filter, resize},
    models::text_recognition::{
        Alphabet, Step, beam_search, best_path, collapsed, probabilities, word_beam_search,
    },
};
use ndarray::{Array2, Array4, ArrayView2, Axis, Ix3};
use unicode_bidi::BidiInfo;

use crate::{Choice, crops::HEIGHT};

/// Columns of the inputs that run together: more need much memory and are no faster.
const MAX_COLUMNS: usize = 1 << 14;

/// How scores become a text
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Decoder {
    /// The best character of each time step
    #[default]
    Greedy,
    /// The most probable text
    Beamsearch,
    /// The most probable text of known words
    Wordbeamsearch,
}

/// How the texts of one backend are decoded.
#[derive(Debug, Clone)]
pub struct Decoding {
    /// The way.
    pub decoder: Decoder,
    /// Readings that a beam search follows.
    pub beam_width: usize,
    /// Words that a word beam search prefers.
    pub dictionary: HashSet<String>,
    /// Whether the blank and each class may be read.
    pub is_allowed: Vec<bool>,
}

/// How a recogniser is run.
#[derive(Debug, Clone)]
pub struct RecogniserOptions {
    /// How its outputs become texts.
    pub decoding: Decoding,
    /// Lines per run.
    pub batch_size: usize,
}

/// Reads lines with a CRNN of EasyOCR.
pub struct Recogniser {
    engine: Arc<dyn Engine>,
    alphabet: Alphabet,
    decoding: Decoding,
    is_right_to_left: bool,
    batch_size: usize,
}

impl Recogniser {
    /// Loads a recogniser, which must know as many characters as the chosen one.
    pub fn load(
        runtime: &Runtime,
        path: &Path,
        choice: &Choice,
        options: RecogniserOptions,
    ) -> anyhow::Result<Self> {
        let engine = runtime.load(path)?;
        let is_line = |input: &TensorInfo| {
            let shape = &input.shape;
            shape.len() == 4 && matches!(shape[1], 1 | ..=-1) && matches!(shape[2], 64 | ..=-1)
        };
        let (inputs, outputs) = (engine.inputs(), engine.outputs());
        let fits = inputs.first().is_some_and(is_line)
            && outputs
                .first()
                .is_some_and(|output| output.shape.len() == 3);
        if !fits {
            let list = |tensors: &[TensorInfo]| {
                let texts: Vec<_> = tensors.iter().map(ToString::to_string).collect();
                texts.join(", ")
            };
            bail!(
                "model file {:?} is no recogniser of EasyOCR: that has an input [n, 1, 64, width] and an output \
                 [n, time, classes], this has inputs {} and outputs {}",
                engine.file(),
                list(inputs),
                list(outputs)
            );
        }
        let alphabet = Alphabet::new(choice.characters.iter().map(ToString::to_string));
        let recogniser = Self {
            alphabet,
            decoding: options.decoding,
            is_right_to_left: choice.is_right_to_left(),
            batch_size: options.batch_size,
            engine,
        };
        let outputs = recogniser.engine.outputs();
        if let Some(n_classes) = outputs[0].fixed(2) {
            recogniser.check_classes(n_classes, &choice.name)?;
        }
        if let Some(own) = recogniser.engine.metadata().get("characters") {
            let is_same = own.chars().eq(choice.characters.iter().copied());
            ensure!(
                is_same,
                "model file {:?} reads other characters than {}, which LANG_LIST asks for",
                recogniser.engine.file(),
                choice.name
            );
        }
        Ok(recogniser)
    }

    fn check_classes(&self, n_classes: usize, name: &str) -> anyhow::Result<()> {
        let expected = self.alphabet.n_classes();
        ensure!(
            n_classes == expected,
            "model file {:?} tells {n_classes} classes apart, and {name}, which LANG_LIST asks for, has {expected} \
             with the blank",
            self.engine.file()
        );
        Ok(())
    }

    /// Reads lines that are padded to `width` columns. Returns their texts and scores.
    pub fn read(&self, lines: &[&GrayImage], width: u32) -> anyhow::Result<Vec<(String, f64)>> {
        let (input, output) = (&self.engine.inputs()[0], &self.engine.outputs()[0].name);
        let n_together = input.fixed(0).unwrap_or_else(|| {
            let n_fitting = MAX_COLUMNS / (width as usize).max(1);
            n_fitting.clamp(1, self.batch_size.max(1))
        });
        let mut read = Vec::with_capacity(lines.len());
        for batch in lines.chunks(n_together) {
            // A file that was exported for several lines at a time gets empty ones.
            let n_inputs = input.fixed(0).unwrap_or(batch.len());
            let tensor = line_tensor(batch, n_inputs, width);
            let n_unused = self.engine.inputs().len() - 1;
            let unused = ndarray::Array2::<i64>::zeros((n_inputs, 1));
            let mut inputs = vec![(input.name.as_str(), (&tensor).into())];
            let names = self.engine.inputs().iter().skip(1).take(n_unused);
            inputs.extend(names.map(|info| (info.name.as_str(), (&unused).into())));
            let [scores] = self.engine.run_f32(&inputs, [output])?;
            let shape = format!("{:?}", scores.shape());
            let Ok(scores) = scores.into_dimensionality::<Ix3>() else {
                bail!("the recogniser answers with the shape {shape}");
            };
            self.check_classes(scores.len_of(Axis(2)), "the recogniser")?;
            ensure!(
                scores.len_of(Axis(0)) >= batch.len(),
                "the recogniser answers {shape} for {} lines",
                batch.len()
            );
            let of_lines = scores.outer_iter().take(batch.len());
            read.extend(of_lines.map(|scores| self.decode(&scores)));
        }
        Ok(read)
    }

    fn decode(&self, scores: &ArrayView2<'_, f32>) -> (String, f64) {
        let scores: Array2<f32> = probabilities(scores, &self.decoding.is_allowed);
        let scores = scores.view();
        let path = best_path(&scores);
        let width = self.decoding.beam_width;
        let text = match self.decoding.decoder {
            Decoder::Greedy => {
                let steps = collapsed(&path);
                self.alphabet.text(steps.iter().map(|step| step.class))
            }
            Decoder::Beamsearch => beam_search(&scores, &self.alphabet, width),
            Decoder::Wordbeamsearch => {
                word_beam_search(&scores, &self.alphabet, width, &self.decoding.dictionary)
            }
        };
        let text = if self.is_right_to_left {
            displayed(&text)
        } else {
            text
        };
        let read = path.iter().filter(|step| step.class != 0);
        (text, confidence(read))
    }
}

/// Returns EasyOCR's score of a text: the product of the best probabilities at all time steps with
/// a character, to the power of two by the root of their number; 0 without any.
pub fn confidence<'a>(steps: impl IntoIterator<Item = &'a Step>) -> f64 {
    let (mut product, mut n_steps) = (1.0_f32, 0.0_f64);
    for step in steps {
        product *= step.score;
        n_steps += 1.0;
    }
    if n_steps == 0.0 {
        return 0.0;
    }
    f64::from(product).powf(2.0 / n_steps.sqrt())
}

/// Returns the inputs of lines: levels from -1 to 1, and to the right the last column again and
/// again.
fn line_tensor(lines: &[&GrayImage], n_inputs: usize, width: u32) -> Array4<f32> {
    let (height, width) = (HEIGHT as usize, width as usize);
    let mut values = vec![0.0; n_inputs * height * width];
    for (line, target) in lines.iter().zip(values.chunks_exact_mut(height * width)) {
        let scaled = to_height(line, width);
        let rows = scaled.as_raw().chunks_exact(scaled.width() as usize);
        for (row, target) in rows.zip(target.chunks_exact_mut(width)) {
            let (content, padding) = target.split_at_mut(row.len());
            for (level, value) in row.iter().zip(content.iter_mut()) {
                *value = (f32::from(*level) / 255.0 - 0.5) / 0.5;
            }
            padding.fill(content.last().copied().unwrap_or_default());
        }
    }
    Array4::from_shape_vec((n_inputs, 1, height, width), values).expect("the sizes multiply")
}

/// Scales a line to the height of an input, and to at most `width` columns.
fn to_height(line: &GrayImage, width: usize) -> GrayImage {
    let width = u32::try_from(width).unwrap_or(u32::MAX).max(1);
    let (line_width, line_height) = (u64::from(line.width()), u64::from(line.height()).max(1));
    let columns = (u64::from(HEIGHT) * line_width).div_ceil(line_height);
    let columns = u32::try_from(columns).unwrap_or(u32::MAX).clamp(1, width);
    resize(line, columns, HEIGHT, Filter::PillowBicubic)
}

/// Puts a text of a script that runs from right to left into the order in which it is displayed.
fn displayed(text: &str) -> String {
    let bidi = BidiInfo::new(text, None);
    let lines = bidi.paragraphs.iter();
    lines
        .map(|paragraph| bidi.reorder_line(paragraph, paragraph.range.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::displayed;

    #[test]
    fn arabic_is_displayed_from_right_to_left() {
        assert_eq!(displayed("\u{645}\u{631}\u{62d}"), "\u{62d}\u{631}\u{645}");
        assert_eq!(displayed("abc 12"), "abc 12");
        assert_eq!(displayed(""), "");
    }
}
