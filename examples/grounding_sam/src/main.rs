//! Serves the model.

use clap::Parser;
use grounding_sam::{GroundingSam, SegmenterArgs};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::{VisionArgs, models::grounding_dino::GroundingDinoArgs};

/// Detect objects that annotators name, or segment them, with Grounding DINO and SAM
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
    vision: VisionArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || {
        let vision = args.vision.start(args.server.network.options())?;
        Ok(GroundingSam {
            finder: args.grounding_dino.load(&vision)?,
            segmenter: args.segmenter.load(&vision)?,
        })
    })
}
