//! Flags of every backend that runs a neural network on audio.

use clap::Args;
use label_studio_inference::{Inference, InferenceArgs, InferenceError, hub::Hub, onnx::Runtime};
use label_studio_sdk::http::NetworkOptions;

use crate::reading::{AudioError, AudioReader, ReadingArgs};

/// How models are run, where their weights come from, and how audio is read
#[derive(Debug, Clone, Args)]
pub struct AudioArgs {
    /// How models are run, and where their weights come from.
    #[command(flatten)]
    pub inference: InferenceArgs,
    /// How audio is read.
    #[command(flatten)]
    pub reading: ReadingArgs,
}

/// What a backend loads its models with, and reads audio with.
pub struct Audio {
    /// Loads models.
    pub runtime: Runtime,
    /// Finds and fetches weights.
    pub hub: Hub,
    /// Reads audio.
    pub reader: AudioReader,
}

/// Why a backend cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioStartError {
    /// No model can be loaded.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// No audio can be read.
    #[error(transparent)]
    Reading(#[from] AudioError),
}

impl AudioArgs {
    /// Starts the engine, creates the hub, which is reached over `network`, and finds ffmpeg.
    pub fn start(&self, network: NetworkOptions) -> Result<Audio, AudioStartError> {
        let Inference { runtime, hub } = self.inference.start(network)?;
        Ok(Audio {
            runtime,
            hub,
            reader: AudioReader::find(&self.reading)?,
        })
    }
}
