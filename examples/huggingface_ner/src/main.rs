//! Serves the model.

use clap::Parser;
use huggingface_ner::{HuggingFaceNer, Options};
use label_studio_inference::hub::HubArgs;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

/// Mark entities with a transformer encoder that is fine-tuned on the project's annotations
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
        HuggingFaceNer::load(
            args.options,
            &args.server.model_dir,
            &args.hub.hub(args.server.network.options())?,
        )
    })
}
