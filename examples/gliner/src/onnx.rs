//! Models that the Python library exported to ONNX.

use std::{path::Path, sync::Arc};

use label_studio_inference::onnx::{Engine, Runtime, TensorView};
use label_studio_ml::anyhow::{self, ensure};
use ndarray::{Array2, Array3, Axis};

use crate::{decode::spans, prompt::Window};

/// Windows that go through the model at once.
const BATCH_SIZE: usize = 8;
const INPUTS: [&str; 6] = [
    "input_ids",
    "attention_mask",
    "words_mask",
    "text_lengths",
    "span_idx",
    "span_mask",
];
const OUTPUT: &str = "logits";

/// A model that scores spans.
pub(crate) struct OnnxSpans {
    engine: Arc<dyn Engine>,
    max_width: usize,
}

impl std::fmt::Debug for OnnxSpans {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnnxSpans")
            .field("file", &self.engine.file())
            .finish_non_exhaustive()
    }
}

/// The inputs of a batch.
struct Inputs {
    ids: Array2<i64>,
    mask: Array2<i64>,
    words: Array2<i64>,
    lengths: Array2<i64>,
    spans: Array3<i64>,
    span_mask: Array2<bool>,
}

impl OnnxSpans {
    /// Loads a file, and checks its inputs and outputs.
    pub(crate) fn load(runtime: &Runtime, path: &Path, max_width: usize) -> anyhow::Result<Self> {
        let engine = runtime.load(path)?;
        let unknown = engine
            .inputs()
            .iter()
            .find(|input| !INPUTS.contains(&input.name.as_str()));
        let has_spans = ["input_ids", "words_mask", "span_idx"]
            .iter()
            .all(|name| engine.input(name).is_some());
        ensure!(
            unknown.is_none() && has_spans && engine.output(OUTPUT).is_some(),
            "{} is no export of a GLiNER model for spans, whose inputs are {} and whose output is {OUTPUT}",
            path.display(),
            INPUTS.join(", ")
        );
        Ok(Self { engine, max_width })
    }

    /// Computes the logits of each window: one row per span, with one value per label.
    pub(crate) fn logits(&self, windows: &[&Window]) -> anyhow::Result<Vec<Vec<f32>>> {
        let mut all = Vec::with_capacity(windows.len());
        for batch in windows.chunks(BATCH_SIZE) {
            let inputs = self.inputs(batch);
            let tensors: [(&str, TensorView<'_>); 6] = [
                (INPUTS[0], (&inputs.ids).into()),
                (INPUTS[1], (&inputs.mask).into()),
                (INPUTS[2], (&inputs.words).into()),
                (INPUTS[3], (&inputs.lengths).into()),
                (INPUTS[4], (&inputs.spans).into()),
                (INPUTS[5], (&inputs.span_mask).into()),
            ];
            // An export leaves out what its model does not use.
            let known: Vec<_> = tensors
                .into_iter()
                .filter(|(name, _)| self.engine.input(name).is_some())
                .collect();
            let mut outputs = self.engine.run(&known, &[OUTPUT])?.into_iter();
            let logits = outputs
                .next()
                .and_then(label_studio_inference::onnx::Tensor::into_f32);
            let shape = logits.as_ref().map_or(&[][..], |logits| logits.shape());
            let n_words = inputs.spans.len_of(Axis(1)) / self.max_width;
            let fits = matches!(shape, [n_texts, words, width, n_labels]
                if *n_texts == batch.len() && *words == n_words && *width == self.max_width
                && batch.iter().all(|window| window.labels.len() <= *n_labels));
            ensure!(
                fits,
                "{} answered logits of the shape {shape:?}",
                self.engine.file()
            );
            for (window, logits) in batch
                .iter()
                .zip(logits.iter().flat_map(|all| all.outer_iter()))
            {
                let mut own = Vec::new();
                for (start, last) in spans(window.words.len(), self.max_width) {
                    let labels = 0..window.labels.len();
                    own.extend(labels.map(|label| logits[[start, last - start, label]]));
                }
                all.push(own);
            }
        }
        Ok(all)
    }

    /// Pads windows to the longest one.
    fn inputs(&self, batch: &[&Window]) -> Inputs {
        let n_tokens = batch
            .iter()
            .map(|window| window.ids.len())
            .max()
            .unwrap_or(0);
        let n_words = batch
            .iter()
            .map(|window| window.words.len())
            .max()
            .unwrap_or(0);
        let n_spans = n_words * self.max_width;
        let mut inputs = Inputs {
            ids: Array2::zeros((batch.len(), n_tokens)),
            mask: Array2::zeros((batch.len(), n_tokens)),
            words: Array2::zeros((batch.len(), n_tokens)),
            lengths: Array2::zeros((batch.len(), 1)),
            spans: Array3::zeros((batch.len(), n_spans, 2)),
            span_mask: Array2::from_elem((batch.len(), n_spans), false),
        };
        for (row, window) in batch.iter().enumerate() {
            for (column, id) in window.ids.iter().enumerate() {
                inputs.ids[[row, column]] = i64::from(*id);
                inputs.mask[[row, column]] = 1;
            }
            for (word, token) in window.words.iter().enumerate() {
                if let Some(token) = token {
                    inputs.words[[row, *token]] = number(word + 1);
                }
            }
            inputs.lengths[[row, 0]] = number(window.words.len());
            for (start, last) in spans(window.words.len(), self.max_width) {
                let span = start * self.max_width + last - start;
                inputs.spans[[row, span, 0]] = number(start);
                inputs.spans[[row, span, 1]] = number(last);
                inputs.span_mask[[row, span]] = true;
            }
        }
        inputs
    }
}

fn number(idx: usize) -> i64 {
    i64::try_from(idx).expect("a text has fewer words than 2^63")
}
