//! Serves Segment Anything.

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::{Vision, VisionArgs, models::sam::SamArgs};
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
    vision: VisionArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || {
        let Vision {
            runtime,
            hub,
            reader,
        } = args.vision.start(args.server.network.options())?;
        let checkpoints = args.checkpoints.locate(&hub)?;
        SegmentAnythingModel::load(&runtime, &checkpoints, &args.sam, reader)
    })
}
