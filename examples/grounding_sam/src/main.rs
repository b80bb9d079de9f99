//! Serves the model.

use clap::Parser;
use grounding_sam::{GroundingSam, SegmenterArgs};
use label_studio_inference::{
    hub::HubArgs,
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::models::grounding_dino::GroundingDinoArgs;

/// Draw rectangles around what an annotator names, or paint it, with Grounding DINO and SAM
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    grounding_dino: GroundingDinoArgs,

    #[command(flatten)]
    segmenter: SegmenterArgs,

    #[command(flatten)]
    onnx: OnnxArgs,

    #[command(flatten)]
    hub: HubArgs,
}

fn main() -> anyhow::Result<()> {
    let Args {
        server,
        grounding_dino,
        segmenter,
        onnx,
        hub,
    } = parse_args();
    serve(&server, move || {
        let (runtime, hub) = (Runtime::new(&onnx)?, hub.hub()?);
        Ok(GroundingSam {
            finder: grounding_dino.load(&runtime, &hub, segmenter.sam.limits)?,
            segmenter: segmenter.load(&runtime, &hub)?,
        })
    })
}
