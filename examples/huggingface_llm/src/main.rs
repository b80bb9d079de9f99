//! Serves the model.

use clap::Parser;
use huggingface_llm::{HuggingFaceLLM, Options};
use label_studio_inference::hub::HubArgs;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

/// Continue texts, or answer prompts, with a language model that runs on this machine
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    hub: HubArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || {
        HuggingFaceLLM::load(args.options, &args.hub.hub(args.server.network.options())?)
    })
}
