//! Serves the model.

use clap::Parser;
use easyocr::{EasyOcr, EasyOcrArgs};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use label_studio_vision::VisionArgs;

/// Find and read lines of text with the models of EasyOCR
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    easyocr: EasyOcrArgs,
    #[command(flatten)]
    vision: VisionArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || {
        let vision = args.vision.start(args.server.network.options())?;
        EasyOcr::load(args.easyocr, vision)
    })
}
