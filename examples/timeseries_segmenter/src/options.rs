//! Options of the model.

use std::num::NonZeroUsize;

use clap::Args;
use label_studio_training::parse_not_negative;

/// Options of the model and its training.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct Options {
    /// Train when the number of labelled tasks is a multiple of this; "Start training" always
    /// trains
    #[arg(long, env = "START_TRAINING_EACH_N_UPDATES", default_value = "1")]
    pub start_training_each_n_updates: NonZeroUsize,

    /// Times that a training sees every window at most
    #[arg(long, env = "TRAIN_EPOCHS", default_value = "1000")]
    pub train_epochs: NonZeroUsize,

    /// Rows of a window: the part of a series that the network sees at once
    #[arg(long, env = "SEQUENCE_SIZE", default_value = "50", value_parser = window)]
    pub sequence_size: usize,

    /// Width of the recurrent layers in each direction
    #[arg(long, env = "HIDDEN_SIZE", default_value = "64", value_parser = width)]
    pub hidden_size: usize,

    /// Balanced accuracy that is enough to end a training
    #[arg(long, env = "BALANCED_ACCURACY_THRESHOLD", default_value = "0.85", value_parser = parse_not_negative)]
    pub balanced_accuracy_threshold: f64,

    /// F1 of the worst class that is enough to end a training
    #[arg(long, env = "MIN_CLASS_F1_THRESHOLD", default_value = "0.70", value_parser = parse_not_negative)]
    pub min_class_f1_threshold: f64,

    /// Whether rare classes count as much as frequent ones: true or false
    #[arg(
        long,
        env = "USE_CLASS_WEIGHTS",
        default_value = "true",
        action = clap::ArgAction::Set,
        value_parser = is_true
    )]
    pub use_class_weights: bool,
}

/// Longest window: the memory of a training grows with it.
const MAX_WINDOW: usize = 5_000;
const MAX_WIDTH: usize = 4096;

fn window(text: &str) -> Result<usize, String> {
    up_to(text, MAX_WINDOW)
}

fn width(text: &str) -> Result<usize, String> {
    up_to(text, MAX_WIDTH)
}

fn up_to(text: &str, limit: usize) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(number) if (1..=limit).contains(&number) => Ok(number),
        _ => Err(format!("expected a whole number from 1 to {limit}")),
    }
}

fn is_true(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err("expected true or false".to_owned()),
    }
}
