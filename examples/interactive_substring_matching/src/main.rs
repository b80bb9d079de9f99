//! Serves the model.

use std::num::NonZeroUsize;

use clap::{ArgAction, Parser, builder::FalseyValueParser};
use interactive_substring_matching::{
    Exclude, InteractiveSubstringMatching, ScoreMode, SearchOptions,
};
use label_studio_ml::{ServerArgs, anyhow, serve};

/// Label every occurrence of the word that was just labelled
#[derive(Debug, Parser)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,

    /// Look for whole words only
    #[arg(long, env = "WHOLE_WORDS", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    whole_words: bool,

    /// Tell upper from lower case
    #[arg(long, env = "CASE_SENSITIVE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    case_sensitive: bool,

    /// Most regions to suggest for a task
    #[arg(long, env = "MAX_MATCHES")]
    max_matches: Option<NonZeroUsize>,

    /// What to leave out
    #[arg(long, env = "EXCLUDE", value_enum, default_value_t)]
    exclude: Exclude,

    /// What the score compares an occurrence with
    #[arg(long, env = "SCORE_MODE", value_enum, default_value_t)]
    score_mode: ScoreMode,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let model = InteractiveSubstringMatching {
        search: SearchOptions {
            case_sensitive: args.case_sensitive,
            whole_words: args.whole_words,
        },
        score: args.score_mode,
        max_matches: args.max_matches.map(NonZeroUsize::get),
        exclude: args.exclude,
    };
    serve(&args.server, move || Ok(model))
}
