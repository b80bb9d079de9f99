//! Serves the model.

use clap::Parser;
use gliner::{Gliner, Options};
use label_studio_inference::InferenceArgs;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

/// Mark what label names mean, with GLiNER, which can be fine-tuned on the project's annotations
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    inference: InferenceArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || {
        let hub = args.inference.hub.hub(args.server.network.options())?;
        let onnx = args.inference.onnx;
        Gliner::load(args.options, &args.server.model_dir, (&hub, onnx))
    })
}
