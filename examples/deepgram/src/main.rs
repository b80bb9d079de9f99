//! Serves the model.

use clap::Parser;
use deepgram::{DeepgramModel, Options};
use label_studio_ml::{ServerArgs, anyhow, serve};

/// Speak what the annotator types, and put the audio into the task
#[derive(Debug, Parser)]
struct Program {
    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    options: Options,
}

fn main() -> anyhow::Result<()> {
    let Program { server, options } = Program::parse();
    serve(&server, move || DeepgramModel::new(options))
}
