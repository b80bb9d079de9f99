//! Serves the model.

use clap::Parser;
use label_studio_inference::hub::HubArgs;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use spacy::{Options, Spacy};

/// Mark entities in texts with a pipeline of spaCy
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
        Spacy::load(args.options, &args.hub.hub(args.server.network.options())?)
    })
}
