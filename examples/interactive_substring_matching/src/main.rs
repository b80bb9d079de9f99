//! Serves the model.

use std::num::NonZeroUsize;

use clap::{
    ArgAction, Parser,
    builder::{BoolishValueParser, FalseyValueParser},
};
use interactive_substring_matching::{
    Exclude, InteractiveSubstringMatching, ScoreMode, SearchOptions,
};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

/// Label every occurrence of the word that was just labelled
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    search: SearchArgs,

    /// Do not suggest the selected region itself: true or false
    #[arg(long, env = "EXCLUDE_SELECTED", value_name = "true|false", default_value = "true", default_missing_value = "true",
          num_args = 0..=1, action = ArgAction::Set, value_parser = BoolishValueParser::new())]
    exclude_selected: bool,

    /// Do not suggest spans of the interactive context that the same control labels already,
    /// including the selected one
    #[arg(long, env = "EXCLUDE_ANNOTATED", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    exclude_annotated: bool,

    /// Maximum number of regions per task
    #[arg(long, env = "MAX_MATCHES")]
    max_matches: Option<NonZeroUsize>,

    /// Form of the keyword that scores compare an occurrence with
    #[arg(long, env = "SCORE_MODE", value_enum, default_value_t)]
    score_mode: ScoreMode,
}

/// Options of the search
#[derive(Debug, clap::Args)]
struct SearchArgs {
    /// Find whole words only
    #[arg(long, env = "WHOLE_WORDS", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    whole_words: bool,

    /// Distinguish upper and lower case
    #[arg(long, env = "CASE_SENSITIVE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    case_sensitive: bool,
}

fn main() -> anyhow::Result<()> {
    let args: Args = parse_args();
    let model = InteractiveSubstringMatching {
        search: SearchOptions {
            case_sensitive: args.search.case_sensitive,
            whole_words: args.search.whole_words,
        },
        score: args.score_mode,
        max_matches: args.max_matches.map(NonZeroUsize::get),
        exclude: if args.exclude_annotated {
            Exclude::Annotated
        } else if args.exclude_selected {
            Exclude::Selected
        } else {
            Exclude::Nothing
        },
    };
    serve(&args.server, move || Ok(model))
}
