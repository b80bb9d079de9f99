//! Serves the model.

use clap::Parser;
use grounding_sam::{GroundingSam, Options, SegmenterArgs};
use label_studio_inference::{
    grounding_dino::GroundingDinoArgs,
    hub::HubArgs,
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

/// Draw rectangles around what an annotator names, or paint it, with Grounding DINO and SAM
#[derive(Debug, Parser)]
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
    let args: Args = parse_args();
    let options = Options {
        thresholds: args.grounding_dino.thresholds(),
        limits: args.segmenter.sam.limits,
        batch_size: args.grounding_dino.batch_size.get(),
    };
    let Args {
        grounding_dino,
        segmenter,
        onnx,
        hub,
        ..
    } = args;
    serve(&args.server, move || {
        let (runtime, hub) = (Runtime::new(&onnx)?, hub.hub()?);
        Ok(GroundingSam {
            detector: grounding_dino.load(&runtime, &hub)?,
            segmenter: segmenter.load(&runtime, &hub)?,
            options,
        })
    })
}
