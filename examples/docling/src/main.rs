//! Serves the model.

use clap::Parser;
use docling::{Docling, Options};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

/// Turn documents into regions with a Docling conversion service
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
    serve(&server, move || Docling::load(options, network))
}
