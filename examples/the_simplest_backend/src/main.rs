//! Serves the simplest backend.

use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use the_simplest_backend::TheSimplestBackend;

/// Predict by fixed rules and count trainings: a backend to try Label Studio with
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Read image sizes from the images: 0 or 1
    #[arg(long, env = "FETCH_IMAGES", default_value = "0", value_name = "0|1")]
    fetch_images: String,

    /// Duration of every training, in seconds
    #[arg(long, env = "FIT_SECONDS", default_value_t = 0.0)]
    fit_seconds: f64,

    #[command(flatten)]
    server: ServerArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    let fit_time = Duration::try_from_secs_f64(args.fit_seconds)
        .context("FIT_SECONDS is not a duration in seconds")?;
    let model = TheSimplestBackend {
        fetch_images: args.fetch_images == "1",
        fit_time,
    };
    serve(&args.server, move || Ok(model))
}
