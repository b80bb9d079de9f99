//! Serves the model.

use clap::Parser;
use grounding_dino::GroundingDino;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::{VisionArgs, models::grounding_dino::GroundingDinoArgs};

/// Detect objects that annotators name, with Grounding DINO
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    grounding_dino: GroundingDinoArgs,
    #[command(flatten)]
    vision: VisionArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || {
        let finder = args
            .grounding_dino
            .load(&args.vision.start(args.server.network.options())?)?;
        Ok(GroundingDino { finder })
    })
}
