//! Serves Segment Anything.

use clap::Parser;
use label_studio_inference::{
    hub::HubArgs,
    onnx::{OnnxArgs, Runtime},
};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::models::sam::SamArgs;
use segment_anything_model::{CheckpointArgs, SegmentAnythingModel};

/// Make masks from clicks and rectangles with Segment Anything or MobileSAM
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    checkpoints: CheckpointArgs,
    #[command(flatten)]
    sam: SamArgs,
    #[command(flatten)]
    onnx: OnnxArgs,
    #[command(flatten)]
    hub: HubArgs,
}

fn main() -> anyhow::Result<()> {
    let Args {
        server,
        checkpoints,
        sam,
        onnx,
        hub,
    } = parse_args();
    serve(&server, move || {
        let runtime = Runtime::new(&onnx)?;
        let checkpoints = checkpoints.locate(&hub.hub()?)?;
        SegmentAnythingModel::load(&runtime, &checkpoints, &sam)
    })
}
