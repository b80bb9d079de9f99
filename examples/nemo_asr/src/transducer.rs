//! Networks with RNNT and TDT.

use std::{ops::Range, sync::Arc};

use label_studio_audio::decoding::{Joint, Step, TransducerOptions, transducer};
use label_studio_inference::onnx::{ElementType, Engine, Tensor, TensorInfo, TensorView};
use label_studio_ml::anyhow::{self, Context, bail, ensure};
use ndarray::{Array2, Array3, ArrayD, ArrayView2, Axis, Ix3, Ix4, Slice, array};

use crate::network::{EncoderInputs, Features, Heard, Network, is_float, unexpected};

/// Frames that the joint network runs on at a time: most have no token, and a run costs more than a
/// few frames.
const N_AHEAD: usize = 8;

/// An encoder, and a prediction network with its joint network.
pub(crate) struct TransducerNetwork {
    encoder: Arc<dyn Engine>,
    inputs: EncoderInputs,
    encoded: String,
    lengths: Option<String>,
    decoder: Decoder,
    options: TransducerOptions,
}

/// What a transducer's config says.
pub(crate) struct TransducerConfig {
    pub(crate) n_mels: usize,
    pub(crate) n_tokens: usize,
    pub(crate) durations: Option<Vec<usize>>,
    pub(crate) max_symbols: usize,
}

/// The prediction and joint networks, in one file.
struct Decoder {
    engine: Arc<dyn Engine>,
    encoded: String,
    targets: String,
    /// Type of the targets and their length.
    numbers: ElementType,
    length: Option<String>,
    states: Vec<StateTensor>,
    logits: String,
    n_classes: usize,
}

/// A state of the prediction network.
struct StateTensor {
    input: String,
    output: String,
    n_layers: usize,
    size: usize,
}

impl TransducerNetwork {
    /// Checks the networks against a config.
    pub(crate) fn new(
        encoder: Arc<dyn Engine>,
        decoder: &Arc<dyn Engine>,
        config: &TransducerConfig,
    ) -> anyhow::Result<Self> {
        let inputs = EncoderInputs::find(encoder.as_ref(), config.n_mels)?;
        let outputs = encoder.outputs();
        let frames = outputs
            .iter()
            .find(|output| output.shape.len() == 3 && is_float(output));
        let Some(frames) = frames else {
            return Err(unexpected(encoder.as_ref(), "frames [windows, size, frames]").into());
        };
        let lengths = outputs.iter().find(|output| output.shape.len() == 1);
        let n_scores = config.n_tokens + 1;
        let decoder = Decoder::new(decoder)?;
        let n_durations = decoder.n_classes.checked_sub(n_scores).with_context(|| {
            format!(
                "model file {:?} has {} classes, fewer than the vocabulary with its blank: {n_scores}",
                decoder.engine.file(),
                decoder.n_classes
            )
        })?;
        let durations = config
            .durations
            .clone()
            .unwrap_or_else(|| (0..n_durations).collect());
        ensure!(
            durations.len() == n_durations,
            "model file {:?} has {} classes, and the vocabulary with its blank has {n_scores}: the rest are no {} durations",
            decoder.engine.file(),
            decoder.n_classes,
            durations.len()
        );
        Ok(Self {
            inputs,
            encoded: frames.name.clone(),
            lengths: lengths.map(|output| output.name.clone()),
            decoder,
            options: TransducerOptions {
                n_tokens: config.n_tokens,
                durations,
                max_symbols: config.max_symbols,
                n_ahead: N_AHEAD,
            },
            encoder,
        })
    }
}

impl Network for TransducerNetwork {
    fn takes_lengths(&self) -> bool {
        self.inputs.length.is_some() && self.lengths.is_some()
    }

    fn run(&self, features: &Features) -> anyhow::Result<Vec<Heard>> {
        let Features { all, lengths } = features;
        let mut inputs: Vec<(&str, TensorView<'_>)> = vec![(&self.inputs.features, all.into())];
        if let Some(length) = &self.inputs.length {
            inputs.push((length, lengths.into()));
        }
        let outputs: Vec<&str> = [Some(self.encoded.as_str()), self.lengths.as_deref()]
            .into_iter()
            .flatten()
            .collect();
        let mut tensors = self.encoder.run(&inputs, &outputs)?.into_iter();
        let encoded = tensors.next().and_then(Tensor::into_f32);
        let encoded = encoded
            .with_context(|| format!("model file {:?} answers no numbers", self.encoder.file()))?;
        let encoded = encoded.into_dimensionality::<Ix3>()?;
        let n_frames: Option<Vec<i64>> = tensors
            .next()
            .and_then(Tensor::into_i64)
            .map(|lengths| lengths.into_iter().collect());
        let mut heard = Vec::with_capacity(lengths.len());
        for (idx, frames) in encoded.outer_iter().enumerate() {
            let n_all = frames.ncols();
            let n_frames = match &n_frames {
                Some(n_frames) => {
                    let n_frames = n_frames.get(idx).copied().unwrap_or(0);
                    usize::try_from(n_frames).unwrap_or(0).min(n_all)
                }
                None => n_all,
            };
            let decoding = Decoding {
                decoder: &self.decoder,
                frames,
                blank: self.options.n_tokens,
            };
            heard.push(Heard {
                tokens: transducer(&decoding, n_frames, &self.options)?,
                n_frames,
            });
        }
        ensure!(
            heard.len() == lengths.len(),
            "model file {:?} answers {} windows for {}",
            self.encoder.file(),
            heard.len(),
            lengths.len()
        );
        Ok(heard)
    }
}

impl Decoder {
    fn new(engine: &Arc<dyn Engine>) -> anyhow::Result<Self> {
        let wrong = || {
            unexpected(
                engine.as_ref(),
                "frames, targets [windows, tokens], their lengths, states [layers, windows, size] and logits",
            )
        };
        let inputs = engine.inputs();
        let rank = |input: &&TensorInfo, rank: usize| input.shape.len() == rank;
        let is_state = |input: &&TensorInfo| input.name.contains("state");
        let encoded = inputs
            .iter()
            .find(|x| rank(x, 3) && is_float(x) && !is_state(x));
        let targets = inputs.iter().find(|x| rank(x, 2) && !is_float(x));
        let length = inputs.iter().find(|x| rank(x, 1) && !is_float(x));
        let logits = engine.outputs().iter().find(|x| rank(x, 4) && is_float(x));
        let (Some(encoded), Some(targets), Some(logits)) = (encoded, targets, logits) else {
            return Err(wrong().into());
        };
        let mut states = Vec::new();
        for input in inputs.iter().filter(is_state) {
            let output = input.name.replacen("input", "output", 1);
            let (n_layers, size) = (input.fixed(0), input.fixed(2));
            let (Some(n_layers), Some(size), Some(_)) = (n_layers, size, engine.output(&output))
            else {
                return Err(wrong().into());
            };
            states.push(StateTensor {
                input: input.name.clone(),
                output,
                n_layers,
                size,
            });
        }
        let n_known = 2 + usize::from(length.is_some()) + states.len();
        ensure!(
            matches!(targets.element_type, ElementType::I32 | ElementType::I64),
            wrong()
        );
        if inputs.len() != n_known {
            return Err(wrong().into());
        }
        let mut decoder = Self {
            encoded: encoded.name.clone(),
            targets: targets.name.clone(),
            numbers: targets.element_type,
            length: length.map(|input| input.name.clone()),
            logits: logits.name.clone(),
            n_classes: logits.fixed(3).unwrap_or(0),
            states,
            engine: Arc::clone(engine),
        };
        if decoder.n_classes == 0 {
            // Exports leave it open; one frame of zeros says it.
            let size = encoded.fixed(1);
            let size = size
                .with_context(|| format!("{:?} leaves the size of frames open", engine.file()))?;
            let frames = Array2::zeros((size, 1));
            let (logits, _) = decoder.run(&frames.view(), 0, &decoder.zeros())?;
            decoder.n_classes = logits.ncols();
        }
        Ok(decoder)
    }

    fn zeros(&self) -> Vec<Array3<f32>> {
        let zeros = |state: &StateTensor| Array3::zeros((state.n_layers, 1, state.size));
        self.states.iter().map(zeros).collect()
    }

    /// Runs both networks on frames, which are columns, and a token.
    fn run(
        &self,
        frames: &ArrayView2<'_, f32>,
        token: usize,
        states: &[Array3<f32>],
    ) -> anyhow::Result<(Array2<f32>, Vec<Array3<f32>>)> {
        let frames = frames
            .insert_axis(Axis(0))
            .as_standard_layout()
            .into_owned();
        let token = i32::try_from(token).context("a vocabulary is smaller")?;
        let (narrow, wide) = (array![[token]], array![[i64::from(token)]]);
        let (narrow_one, wide_one) = (array![1_i32], array![1_i64]);
        let is_wide = self.numbers == ElementType::I64;
        let mut inputs: Vec<(&str, TensorView<'_>)> = vec![(&self.encoded, (&frames).into())];
        let targets = if is_wide {
            (&wide).into()
        } else {
            (&narrow).into()
        };
        inputs.push((&self.targets, targets));
        if let Some(length) = &self.length {
            let one = if is_wide {
                (&wide_one).into()
            } else {
                (&narrow_one).into()
            };
            inputs.push((length, one));
        }
        for (state, values) in self.states.iter().zip(states) {
            inputs.push((&state.input, values.into()));
        }
        let outputs: Vec<&str> = std::iter::once(self.logits.as_str())
            .chain(self.states.iter().map(|state| state.output.as_str()))
            .collect();
        let tensors = self.engine.run(&inputs, &outputs)?;
        let mut arrays = Vec::with_capacity(tensors.len());
        for tensor in tensors {
            let Some(array) = tensor.into_f32() else {
                bail!("model file {:?} answers no numbers", self.engine.file());
            };
            arrays.push(array);
        }
        let states = arrays.split_off(1);
        let states = states.into_iter().map(ArrayD::into_dimensionality::<Ix3>);
        let logits = arrays.remove(0).into_dimensionality::<Ix4>()?;
        let (n_frames, n_given) = (logits.len_of(Axis(1)), frames.len_of(Axis(2)));
        ensure!(
            logits.len_of(Axis(0)) == 1 && n_frames == n_given && logits.len_of(Axis(2)) >= 1,
            "model file {:?} answers the shape {:?} for {n_given} frames",
            self.engine.file(),
            logits.shape()
        );
        // Of the tokens only the last one counts.
        let last = logits.len_of(Axis(2)) - 1;
        let logits = logits
            .index_axis(Axis(2), last)
            .index_axis(Axis(0), 0)
            .to_owned();
        Ok((logits, states.collect::<Result<_, _>>()?))
    }
}

/// The networks on the frames of one window.
struct Decoding<'a> {
    decoder: &'a Decoder,
    /// A column per frame.
    frames: ArrayView2<'a, f32>,
    blank: usize,
}

impl Joint for Decoding<'_> {
    type State = Vec<Array3<f32>>;
    type Error = anyhow::Error;

    fn start(&self) -> Self::State {
        self.decoder.zeros()
    }

    fn run(
        &self,
        frames: Range<usize>,
        last: usize,
        state: &Self::State,
    ) -> anyhow::Result<Step<Self::State>> {
        debug_assert!(last <= self.blank, "tokens are those of the vocabulary");
        let frames = self.frames.slice_axis(Axis(1), Slice::from(frames));
        let (logits, state) = self.decoder.run(&frames, last, state)?;
        ensure!(
            logits.ncols() == self.decoder.n_classes,
            "model file {:?} answers {} classes, not {}",
            self.decoder.engine.file(),
            logits.ncols(),
            self.decoder.n_classes
        );
        Ok(Step { logits, state })
    }
}
