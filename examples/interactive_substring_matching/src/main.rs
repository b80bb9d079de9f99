//! Serves the model.

use std::num::NonZeroUsize;

use clap::{ArgAction, Args, Parser, builder::FalseyValueParser};
use interactive_substring_matching::{
    Exclude, InteractiveSubstringMatching, ScoreMode, SearchOptions,
};
use label_studio_ml::{ServerArgs, anyhow, parse_args, serve};

/// Label every occurrence of the word that was just labelled
#[derive(Debug, Parser)]
#[command(version)]
struct Program {
    #[command(flatten)]
    server: ServerArgs,

    #[command(flatten)]
    search: SearchArgs,

    /// Leave out the selected region itself
    #[arg(long, env = "EXCLUDE_SELECTED", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    exclude_selected: bool,

    /// Leave out spans that the interactive context shows as labelled by the same control, the selected one among them
    #[arg(long, env = "EXCLUDE_ANNOTATED", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    exclude_annotated: bool,

    /// Most regions to suggest for a task
    #[arg(long, env = "MAX_MATCHES")]
    max_matches: Option<NonZeroUsize>,

    /// What the score compares an occurrence with
    #[arg(long, env = "SCORE_MODE", value_enum, default_value_t)]
    score_mode: ScoreMode,
}

/// What counts as an occurrence
#[derive(Debug, Args)]
struct SearchArgs {
    /// Look for whole words only
    #[arg(long, env = "WHOLE_WORDS", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    whole_words: bool,

    /// Tell upper from lower case
    #[arg(long, env = "CASE_SENSITIVE", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new())]
    case_sensitive: bool,
}

fn main() -> anyhow::Result<()> {
    let program: Program = parse_args();
    let model = InteractiveSubstringMatching {
        search: SearchOptions {
            case_sensitive: program.search.case_sensitive,
            whole_words: program.search.whole_words,
        },
        score: program.score_mode,
        max_matches: program.max_matches.map(NonZeroUsize::get),
        exclude: if program.exclude_annotated {
            Exclude::Annotated
        } else if program.exclude_selected {
            Exclude::Selected
        } else {
            Exclude::Nothing
        },
    };
    serve(&program.server, move || Ok(model))
}
