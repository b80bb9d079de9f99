//! Runs a model on windows of audio.

use label_studio_audio::{
    features::{FrontEnd, FrontEndOptions},
    transcript::{TimedToken, Vocabulary},
    windows::Window,
};
use label_studio_inference::onnx::Runtime;
use label_studio_ml::anyhow::{self, Context};
use ndarray::Array2;

use crate::{
    Heard, Networks, SpeechModel,
    ctc::{CtcNetwork, stride_of},
    network::{Features, Network},
    transducer::{TransducerConfig, TransducerNetwork},
};

/// A loaded model: from windows of audio to tokens.
pub struct Recogniser {
    network: Box<dyn Network>,
    front_end: FrontEnd,
    vocabulary: Vocabulary,
    stride: Option<usize>,
    batch_size: usize,
}

/// The features of a window.
#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    window: Window,
    features: Array2<f32>,
}

impl Recogniser {
    /// Loads the networks of a model, whose front end may differ from the config's. Up to
    /// `batch_size` windows run together.
    pub fn load(
        runtime: &Runtime,
        model: SpeechModel,
        front_end: FrontEndOptions,
        batch_size: usize,
    ) -> anyhow::Result<Self> {
        let front_end = FrontEnd::new(front_end).context("the model's config cannot be used")?;
        let SpeechModel {
            networks,
            config,
            vocabulary,
        } = model;
        let (n_mels, n_tokens) = (front_end.options().n_mels, vocabulary.len());
        let network: Box<dyn Network> = match networks {
            Networks::Ctc(path) => {
                let engine = runtime.load(path)?;
                Box::new(CtcNetwork::new(engine, n_mels, n_tokens, config.stride)?)
            }
            Networks::Transducer { encoder, decoder } => {
                let config = TransducerConfig {
                    n_mels,
                    n_tokens,
                    durations: config.durations,
                    max_symbols: config.max_symbols,
                };
                let (encoder, decoder) = (runtime.load(encoder)?, runtime.load(decoder)?);
                Box::new(TransducerNetwork::new(encoder, &decoder, &config)?)
            }
        };
        Ok(Self {
            network,
            front_end,
            vocabulary,
            stride: config.stride,
            batch_size: batch_size.max(1),
        })
    }

    /// Returns the samples per second that the model takes.
    pub fn sample_rate(&self) -> u32 {
        self.front_end.options().sample_rate
    }

    /// Returns how many windows run together.
    pub fn batch_size(&self) -> usize {
        self.batch_size
    }

    /// Returns what is heard in samples.
    pub fn hear(&self, samples: &[f32]) -> anyhow::Result<Heard> {
        let features = self.front_end.features(samples);
        if features.ncols() == 0 {
            return Ok(Heard {
                tokens: Vec::new(),
                n_frames: 0,
            });
        }
        let mut heard = self.network.run(&Features::new(&[&features]))?;
        Ok(heard.remove(0))
    }

    /// Computes the features of a window; none for one that is shorter than the front end's own
    /// window, in which nothing can be heard.
    pub(crate) fn prepare(&self, window: Window) -> Option<Prepared> {
        if window.samples.len() < self.front_end.options().window {
            return None;
        }
        let features = self.front_end.features(&window.samples);
        Some(Prepared {
            // Only its place is needed from now on.
            window: Window {
                samples: Vec::new(),
                ..window
            },
            features,
        })
    }

    /// Returns the tokens of each window.
    ///
    /// If a run of several windows fails, each of them runs alone, so that one cannot take the
    /// tokens of the others.
    pub(crate) fn tokens(&self, windows: &[&Prepared]) -> Vec<anyhow::Result<Vec<TimedToken>>> {
        let mut found: Vec<(usize, anyhow::Result<Vec<TimedToken>>)> = Vec::new();
        for batch in self.batches(windows) {
            let run = |idxs: &[usize]| {
                let features: Vec<_> = idxs.iter().map(|&idx| &windows[idx].features).collect();
                self.network.run(&Features::new(&features))
            };
            let heard: Vec<anyhow::Result<Heard>> = match run(&batch) {
                Ok(heard) => heard.into_iter().map(Ok).collect(),
                Err(error) if batch.len() == 1 => vec![Err(error)],
                Err(error) => {
                    tracing::warn!(%error, n_windows = batch.len(), "a batch failed: its windows run one by one");
                    let alone = |&idx: &usize| Ok(run(&[idx])?.remove(0));
                    batch.iter().map(alone).collect()
                }
            };
            found.extend(
                batch.iter().zip(heard).map(|(&idx, heard)| {
                    (idx, heard.map(|heard| self.timed(windows[idx], &heard)))
                }),
            );
        }
        found.sort_by_key(|(idx, _)| *idx);
        found.into_iter().map(|(_, tokens)| tokens).collect()
    }

    /// Returns the positions of windows that run together.
    fn batches(&self, windows: &[&Prepared]) -> Vec<Vec<usize>> {
        let mut batches: Vec<(usize, Vec<usize>)> = Vec::new();
        for (idx, window) in windows.iter().enumerate() {
            // Exports of convolutions have lost their masks: only equal lengths give what single runs do.
            let length = if self.network.takes_lengths() {
                0
            } else {
                window.features.ncols()
            };
            let is_open = |(of_batch, batch): &&mut (usize, Vec<usize>)| {
                *of_batch == length && batch.len() < self.batch_size
            };
            match batches.iter_mut().find(is_open) {
                Some((_, batch)) => batch.push(idx),
                None => batches.push((length, vec![idx])),
            }
        }
        batches.into_iter().map(|(_, batch)| batch).collect()
    }

    /// Returns those tokens that begin in the window's own part, with their times in the audio.
    fn timed(&self, Prepared { window, features }: &Prepared, heard: &Heard) -> Vec<TimedToken> {
        let options = self.front_end.options();
        let stride = self
            .stride
            .unwrap_or_else(|| stride_of(features.ncols(), heard.n_frames));
        let rate = f64::from(options.sample_rate);
        let sample = |frame: usize| window.start + (frame * stride * options.hop) as u64;
        let seconds = |frame: usize| {
            #[expect(clippy::cast_precision_loss, reason = "audio lasts hours")]
            let sample = sample(frame).min(window.own.end) as f64;
            sample / rate
        };
        let own = heard.tokens.iter().filter(|token| {
            // A last frame may begin behind the last sample that is left.
            let is_early = sample(token.start) < window.own.start;
            !is_early && (sample(token.start) < window.own.end)
        });
        let mut tokens: Vec<_> = own
            .map(|token| TimedToken {
                text: self.vocabulary.text(token.id).to_owned(),
                start: seconds(token.start),
                end: seconds(token.end),
                score: token.score,
            })
            .collect();
        if let Some(first) = tokens.first_mut()
            && window.begins_in_silence
            && !first.text.starts_with(' ')
        {
            first.text.insert(0, ' ');
        }
        tokens
    }
}
