//! Serves the model.

use clap::Parser;
use grounding_dino::GroundingDino;
use label_studio_inference::{
    hub::HubArgs,
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::{images::Limits, models::grounding_dino::GroundingDinoArgs};

/// Draw rectangles around what an annotator names, with Grounding DINO
#[derive(Debug, Parser)]
#[command(version)]
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
    let Args {
        server,
        grounding_dino,
        onnx,
        hub,
        limits,
    } = parse_args();
    serve(&server, move || {
        let finder = grounding_dino.load(&Runtime::new(&onnx)?, &hub.hub()?, limits)?;
        Ok(GroundingDino { finder })
    })
}
