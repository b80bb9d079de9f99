//! Options of the model.

use std::num::NonZeroUsize;

use clap::Args;
use label_studio_training::{parse_not_negative, parse_positive};

/// Options of the model and its training.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct Options {
    /// Model to start from: a folder, or a name on the hub such as
    /// google/electra-small-discriminator
    #[arg(
        long,
        env = "BASELINE_MODEL_NAME",
        default_value = "google-bert/bert-base-multilingual-cased"
    )]
    pub baseline_model_name: String,

    /// Folder in the model folder that holds the classifier trained last
    #[arg(long, env = "FINETUNED_MODEL_NAME", default_value = "finetuned_model")]
    pub finetuned_model_name: String,

    /// Train when the number of labelled tasks is a multiple of this; "Start training" always
    /// trains
    #[arg(long, env = "START_TRAINING_EACH_N_UPDATES", default_value = "10")]
    pub start_training_each_n_updates: NonZeroUsize,

    /// Learning rate of the first step; it falls to 0
    #[arg(long, env = "LEARNING_RATE", default_value = "2e-5", value_parser = parse_positive)]
    pub learning_rate: f64,

    /// Times that a training sees every text
    #[arg(long, env = "NUM_TRAIN_EPOCHS", default_value = "3")]
    pub num_train_epochs: NonZeroUsize,

    /// Weight decay of a training
    #[arg(long, env = "WEIGHT_DECAY", default_value = "0.01", value_parser = parse_not_negative)]
    pub weight_decay: f64,
}
