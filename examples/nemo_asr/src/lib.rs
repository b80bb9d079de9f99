//! Transcribes audio with NeMo's CTC, RNNT and TDT models.
//!
//! [`NemoAsr`] is the model that Label Studio talks to, [`NemoAsrArgs`] are its flags. A
//! [`SpeechModel`] is the files of a model and what its config says; a [`Recogniser`] runs it on
//! windows of audio, and a [`Transcriber`] on the audio of tasks.

mod args;
mod config;
mod ctc;
mod files;
mod model;
mod network;
mod recogniser;
mod tags;
mod timestamps;
mod transcriber;
mod transducer;
mod yaml;

pub use args::{FrontEndRule, NemoAsrArgs};
pub use config::ModelConfig;
pub use files::{Networks, SpeechModel};
pub use model::NemoAsr;
pub use network::Heard;
pub use recogniser::Recogniser;
pub use timestamps::TimestampUnit;
pub use transcriber::Transcriber;
