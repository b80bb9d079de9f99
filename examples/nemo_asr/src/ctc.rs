//! Networks with CTC.

use std::sync::Arc;

use label_studio_audio::decoding::ctc;
use label_studio_inference::onnx::{Engine, TensorView};
use label_studio_ml::anyhow::{self, ensure};
use ndarray::{Axis, Ix3, Slice};

use crate::network::{EncoderInputs, Features, Heard, Network, is_float, unexpected};

/// A network with CTC.
pub(crate) struct CtcNetwork {
    engine: Arc<dyn Engine>,
    inputs: EncoderInputs,
    output: String,
    n_classes: usize,
    stride: Option<usize>,
}

impl CtcNetwork {
    /// Checks a network for features of `n_mels` rows and a vocabulary of `n_tokens`.
    pub(crate) fn new(
        engine: Arc<dyn Engine>,
        n_mels: usize,
        n_tokens: usize,
        stride: Option<usize>,
    ) -> anyhow::Result<Self> {
        let inputs = EncoderInputs::find(engine.as_ref(), n_mels)?;
        let outputs = engine.outputs();
        let output = outputs
            .iter()
            .find(|output| output.shape.len() == 3 && is_float(output));
        let Some(output) = output else {
            return Err(unexpected(engine.as_ref(), "scores [windows, frames, classes]").into());
        };
        let n_classes = n_tokens + 1;
        check_classes(
            engine.file(),
            output.fixed(2).unwrap_or(n_classes),
            n_classes,
        )?;
        Ok(Self {
            output: output.name.clone(),
            inputs,
            n_classes,
            stride,
            engine,
        })
    }
}

impl Network for CtcNetwork {
    fn takes_lengths(&self) -> bool {
        self.inputs.length.is_some()
    }

    fn run(&self, features: &Features) -> anyhow::Result<Vec<Heard>> {
        let Features { all, lengths } = features;
        let mut inputs: Vec<(&str, TensorView<'_>)> = vec![(&self.inputs.features, all.into())];
        if let Some(length) = &self.inputs.length {
            inputs.push((length, lengths.into()));
        }
        let [scores] = self.engine.run_f32(&inputs, [self.output.as_str()])?;
        let scores = scores.into_dimensionality::<Ix3>()?;
        ensure!(
            scores.len_of(Axis(0)) == lengths.len(),
            "model file {:?} answers {} windows for {}",
            self.engine.file(),
            scores.len_of(Axis(0)),
            lengths.len()
        );
        check_classes(self.engine.file(), scores.len_of(Axis(2)), self.n_classes)?;
        let (n_columns, n_frames) = (all.len_of(Axis(2)), scores.len_of(Axis(1)));
        let stride = self
            .stride
            .unwrap_or_else(|| stride_of(n_columns, n_frames));
        let heard = scores.outer_iter().zip(lengths).map(|(scores, &length)| {
            let length = usize::try_from(length).unwrap_or(0);
            // Alone, all frames are the window's.
            let n_valid = if length == n_columns {
                n_frames
            } else {
                length.div_ceil(stride).min(n_frames)
            };
            let valid = scores.slice_axis(Axis(0), Slice::from(..n_valid));
            Heard {
                tokens: ctc(&valid),
                n_frames: n_valid,
            }
        });
        Ok(heard.collect())
    }
}

/// Returns how many columns of features one output frame has.
pub(crate) fn stride_of(n_columns: usize, n_frames: usize) -> usize {
    let n_frames = n_frames.max(1);
    ((n_columns + n_frames / 2) / n_frames).max(1)
}

fn check_classes(file: &str, found: usize, expected: usize) -> anyhow::Result<()> {
    ensure!(
        found == expected,
        "model file {file:?} has {found} classes, and the vocabulary with its blank has {expected}"
    );
    Ok(())
}
