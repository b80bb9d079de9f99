//! Serves the model.

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use timeseries_segmenter::{Options, TimeSeriesSegmenter};

/// Label ranges of time series with a recurrent network that is trained on the project's annotations
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    options: Options,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    serve(&args.server.clone(), move || {
        Ok(TimeSeriesSegmenter::new(
            args.options,
            &args.server.model_dir,
        ))
    })
}
