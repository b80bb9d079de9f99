//! Serves the model.

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::VisionArgs;
use ppocr::PpOcrArgs;

/// Find and read text in images with PP-OCR models
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    ppocr: PpOcrArgs,
    #[command(flatten)]
    vision: VisionArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || {
        let vision = args.vision.start(args.server.network.options())?;
        args.ppocr.load(&vision)
    })
}
