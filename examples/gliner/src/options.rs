//! Options of the model.

use std::num::NonZeroUsize;

use clap::{ArgAction, Args, builder::BoolishValueParser};
use label_studio_training::{parse_not_negative, parse_positive};

/// Options of the model and its training.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct Options {
    /// Model to start from: a folder, or a name on the hub such as
    /// onnx-community/gliner_medium-v2.1
    #[arg(
        long,
        env = "GLINER_MODEL_NAME",
        default_value = "urchade/gliner_medium-v2.1"
    )]
    pub gliner_model_name: String,

    /// Folder in the model folder that holds the model trained last
    #[arg(
        long,
        env = "FINETUNED_MODEL_PATH",
        default_value = "models/checkpoint-10"
    )]
    pub finetuned_model_path: String,

    /// Which spans are kept.
    #[command(flatten)]
    pub decoding: Decoding,

    /// Steps of a training, of one text each; every text is seen at least once
    #[arg(long, env = "NUM_TRAIN_STEPS", default_value = "10")]
    pub num_train_steps: NonZeroUsize,

    /// Largest learning rate of the encoder
    #[arg(long, env = "LEARNING_RATE", default_value = "5e-6", value_parser = parse_positive)]
    pub learning_rate: f64,

    /// Largest learning rate of the other layers
    #[arg(long, env = "OTHERS_LEARNING_RATE", default_value = "1e-5", value_parser = parse_positive)]
    pub others_learning_rate: f64,

    /// Weight decay of a training
    #[arg(long, env = "WEIGHT_DECAY", default_value = "0.01", value_parser = parse_not_negative)]
    pub weight_decay: f64,
}

/// Which spans are kept.
#[derive(Debug, Clone, Copy, Args)]
pub struct Decoding {
    /// Probability above which a span is kept
    #[arg(long, env = "THRESHOLD", default_value = "0.5", value_parser = parse_probability)]
    pub threshold: f64,

    /// Keep no spans that overlap; with false, one may be within another
    #[arg(
        long,
        env = "FLAT_NER",
        default_value = "true",
        action = ArgAction::Set,
        value_parser = BoolishValueParser::new(),
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub flat_ner: bool,

    /// Keep a span with several labels, each as a region
    #[arg(
        long,
        env = "MULTI_LABEL",
        default_value = "false",
        action = ArgAction::Set,
        value_parser = BoolishValueParser::new(),
        num_args = 0..=1,
        default_missing_value = "true"
    )]
    pub multi_label: bool,
}

fn parse_probability(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if (0.0..=1.0).contains(&number) => Ok(number),
        _ => Err("expected a number from 0 to 1".to_owned()),
    }
}
