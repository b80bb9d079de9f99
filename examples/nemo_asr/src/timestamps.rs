//! What of a transcript becomes a region.

use std::str::FromStr;

use clap::ValueEnum;

/// What of a transcript becomes a region
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum TimestampUnit {
    /// Each sentence, or what is said between two pauses
    #[default]
    Segments,
    /// Each word
    Words,
    /// Nothing
    Off,
}

impl FromStr for TimestampUnit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        <Self as ValueEnum>::from_str(text.trim(), true)
            .map_err(|_| format!("{text:?} is none of segments, words and off"))
    }
}
