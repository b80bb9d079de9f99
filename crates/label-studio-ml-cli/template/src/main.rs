//! Serves the model to Label Studio.

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

use my_backend::NewModel;

/// Suggest the choice that the annotator made last
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Score attached to every suggestion
    #[arg(long, env = "SCORE", default_value_t = 0.5)]
    score: f64,

    #[command(flatten)]
    server: ServerArgs,
}

fn main() -> anyhow::Result<()> {
    let Args { score, server } = parse_args();
    // The server answers health checks while this closure loads the model.
    serve(&server, move || Ok(NewModel::new(score)))
}
