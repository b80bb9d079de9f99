//! Serves the model.

use clap::Parser;
use flair::{Flair, Options};
use label_studio_inference::hub::HubArgs;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

/// Mark entities in texts with a sequence tagger of Flair
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
        Flair::load(
            &args.options,
            &args.server.model_dir,
            &args.hub.hub(args.server.network.options())?,
        )
    })
}
