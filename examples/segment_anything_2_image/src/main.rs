//! Serves Segment Anything 2.

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::{Vision, VisionArgs, models::sam::SamArgs};
use segment_anything_2_image::{CheckpointArgs, SegmentAnything2};

/// Make masks from clicks and rectangles with Segment Anything 2
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    checkpoints: CheckpointArgs,
    #[command(flatten)]
    sam: SamArgs,
    /// Name that the health check shows
    #[arg(long, env = "MODEL_NAME", default_value = "SegmentAnything2")]
    model_name: String,
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
        let model = SegmentAnything2::load(&runtime, &checkpoints, &args.sam, reader)?;
        Ok(model.with_name(args.model_name))
    })
}
