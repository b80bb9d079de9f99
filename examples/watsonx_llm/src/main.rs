//! Serves the model.

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use watsonx_llm::{Options, WatsonXModel};

/// Label by prompt with IBM watsonx.ai, and copy annotations into a watsonx.data table
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
    serve(&server, move || WatsonXModel::load(options, network))
}
