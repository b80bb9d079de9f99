//! Options of the model.

use clap::{ArgAction, Args, builder::FalseyValueParser};

/// Options of the model.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Model")]
pub struct Options {
    /// Tagger that convert.py has converted: a folder, or `hf://owner/name`
    #[arg(long, env = "FLAIR_MODEL_NAME", default_value = "ner-multi")]
    pub flair_model_name: String,

    /// Keep entities whose label the project does not have
    #[arg(long, env = "KEEP_UNKNOWN_LABELS", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    pub keep_unknown_labels: bool,
}
