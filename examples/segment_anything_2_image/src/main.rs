//! Serves Segment Anything 2.

use clap::Parser;
use label_studio_inference::{
    hub::HubArgs,
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::models::sam::SamArgs;
use segment_anything_2_image::{CheckpointArgs, SegmentAnything2};

/// Make masks from clicks and rectangles with Segment Anything 2
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    checkpoints: CheckpointArgs,
    /// Name that the health check shows
    #[arg(long, env = "MODEL_NAME", default_value = "SegmentAnything2")]
    model_name: String,
    #[command(flatten)]
    sam: SamArgs,
    #[command(flatten)]
    onnx: OnnxArgs,
    #[command(flatten)]
    hub: HubArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    let server = args.server.clone();
    serve(&server, move || {
        let runtime = Runtime::new(&args.onnx)?;
        let checkpoints = args.checkpoints.locate(&args.hub.hub()?)?;
        let model = SegmentAnything2::load(&runtime, &checkpoints, &args.sam)?;
        Ok(SegmentAnything2 {
            name: args.model_name,
            ..model
        })
    })
}
