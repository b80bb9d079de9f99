//! Flags of every backend that runs a neural network on images.

use std::sync::Arc;

use clap::Args;
use label_studio_inference::{Inference, InferenceArgs, InferenceError, hub::Hub, onnx::Runtime};
use label_studio_sdk::http::NetworkOptions;

use crate::images::{ImageArgs, ImageReader};

/// How models are run, where their weights come from, and which images are accepted
#[derive(Debug, Clone, Args)]
pub struct VisionArgs {
    /// How models are run, and where their weights come from.
    #[command(flatten)]
    pub inference: InferenceArgs,
    /// Which images are accepted.
    #[command(flatten)]
    pub images: ImageArgs,
}

/// What a backend loads its models with, and reads images with.
pub struct Vision {
    /// Loads models.
    pub runtime: Runtime,
    /// Finds and fetches weights.
    pub hub: Hub,
    /// Reads images for all models of the backend.
    pub reader: Arc<ImageReader>,
}

impl VisionArgs {
    /// Starts the engine, and creates the hub, which is reached over `network`.
    pub fn start(&self, network: NetworkOptions) -> Result<Vision, InferenceError> {
        let Inference { runtime, hub } = self.inference.start(network)?;
        Ok(Vision {
            runtime,
            hub,
            reader: Arc::new(self.images.reader()),
        })
    }
}
