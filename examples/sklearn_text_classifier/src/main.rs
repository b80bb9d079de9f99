//! Serves the model.

use std::num::NonZeroUsize;

use clap::Parser;
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};
use sklearn_text_classifier::{Options, SklearnTextClassifier};

/// Classify texts with a model that is trained on the project's annotations
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Inverse of the regularization strength
    #[arg(long, env = "LOGISTIC_REGRESSION_C", default_value = "10", value_parser = positive)]
    logistic_regression_c: f64,

    /// Train when the number of labelled tasks is a multiple of this; "Start training" always
    /// trains
    #[arg(long, env = "START_TRAINING_EACH_N_UPDATES", default_value = "10")]
    start_training_each_n_updates: NonZeroUsize,

    #[command(flatten)]
    server: ServerArgs,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    let options = Options {
        model_dir: args.server.model_dir.clone(),
        c: args.logistic_regression_c,
        train_each_n_updates: args.start_training_each_n_updates,
    };
    serve(&args.server, move || {
        Ok(SklearnTextClassifier::new(options))
    })
}

fn positive(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("expected a number above 0".to_owned()),
    }
}
