//! Serves the model.

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use tesseract::{TesseractArgs, TesseractOcr};

/// Read the text in drawn regions, or on whole pages, with Tesseract
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    tesseract: TesseractArgs,
}

fn main() -> anyhow::Result<()> {
    let Args { server, tesseract } = parse_args();
    serve(&server, move || TesseractOcr::load(tesseract))
}
