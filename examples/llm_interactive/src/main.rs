//! Serves the model.

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use llm_interactive::{OpenAIInteractive, Options};

/// Label by prompt: a chat model answers what the annotator asks about the task
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    options: Options,
}

fn main() -> anyhow::Result<()> {
    let Args { server, options } = parse_args();
    let network = server.network.options();
    serve(&server, move || OpenAIInteractive::new(options, network))
}
