//! Flags of every backend that runs a neural network.

use clap::Args;
use label_studio_sdk::http::NetworkOptions;

use crate::{
    hub::{Hub, HubArgs, HubError},
    onnx::{OnnxArgs, OnnxError, Runtime},
};

/// How models are run, and where their weights come from
#[derive(Debug, Clone, Args)]
pub struct InferenceArgs {
    /// How models are run.
    #[command(flatten)]
    pub onnx: OnnxArgs,
    /// Where weights come from.
    #[command(flatten)]
    pub hub: HubArgs,
}

/// An inference engine and a hub that have been found.
pub struct Inference {
    /// Loads models.
    pub runtime: Runtime,
    /// Finds and fetches weights.
    pub hub: Hub,
}

/// Why no model can be loaded at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// The engine cannot be started.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// The hub cannot be used.
    #[error(transparent)]
    Hub(#[from] HubError),
}

impl InferenceArgs {
    /// Starts the engine, and creates the hub, which is reached over `network`.
    pub fn start(&self, network: NetworkOptions) -> Result<Inference, InferenceError> {
        Ok(Inference {
            runtime: Runtime::new(&self.onnx)?,
            hub: self.hub.hub(network)?,
        })
    }
}
