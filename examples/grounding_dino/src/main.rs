//! Serves the model.

use clap::Parser;
use grounding_dino::{GroundingDino, Options};
use label_studio_inference::{
    grounding_dino::GroundingDinoArgs,
    hub::HubArgs,
    images::Limits,
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

/// Draw rectangles around what an annotator names, with Grounding DINO
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    grounding_dino: GroundingDinoArgs,

    #[command(flatten)]
    onnx: OnnxArgs,

    #[command(flatten)]
    hub: HubArgs,

    #[command(flatten)]
    limits: Limits,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    let options = Options {
        thresholds: args.grounding_dino.thresholds(),
        limits: args.limits,
        batch_size: args.grounding_dino.batch_size.get(),
    };
    let (grounding_dino, onnx, hub) = (args.grounding_dino, args.onnx, args.hub);
    serve(&args.server, move || {
        let detector = grounding_dino.load(&Runtime::new(&onnx)?, &hub.hub()?)?;
        Ok(GroundingDino { detector, options })
    })
}
