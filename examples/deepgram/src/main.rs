//! Serves the model.

use clap::Parser;
use deepgram::{DeepgramModel, Options};
use label_studio_ml::{ServerArgs, anyhow, serve, settings::parse_args_keeping};

/// Speak what the annotator types, and put the audio into the task
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    options: Options,
}

fn main() -> anyhow::Result<()> {
    // Buckets without ACLs want none.
    let Args { server, options } = parse_args_keeping(&["S3_ACL"]);
    let network = server.network.options();
    serve(&server, move || DeepgramModel::new(options, network))
}
