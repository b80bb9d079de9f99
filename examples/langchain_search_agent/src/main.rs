//! Serves the model.

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use langchain_search_agent::{LangchainSearchAgent, Options};

/// Answer prompts with a chat model that may search the web
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
    serve(&server, move || LangchainSearchAgent::new(options, network))
}
