//! Flags of a backend, parsed as its command line does.

use std::collections::BTreeMap;

use clap::{Args, Command};

/// Returns the flags as a backend's command line parses them; a flag that is given twice has its last value.
///
/// # Panics
/// When the flags cannot be parsed.
pub fn parse<A: Args>(flags: &[impl AsRef<str>]) -> A {
    try_parse(flags).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns two groups of flags that are in one command line.
///
/// # Panics
/// When the flags cannot be parsed.
pub fn parse_pair<A: Args, B: Args>(flags: &[impl AsRef<str>]) -> (A, B) {
    let command = A::augment_args(Command::new("backend"));
    let command = B::augment_args(command).args_override_self(true);
    let flags = flags.iter().map(AsRef::as_ref);
    let matches = command.try_get_matches_from(["backend"].into_iter().chain(flags));
    let matches = matches.unwrap_or_else(|error| panic!("{error}"));
    let parsed = A::from_arg_matches(&matches).and_then(|first| {
        let second = B::from_arg_matches(&matches)?;
        Ok((first, second))
    });
    parsed.unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the flags as a backend's command line parses them, or the error that it would show.
pub fn try_parse<A: Args>(flags: &[impl AsRef<str>]) -> Result<A, clap::Error> {
    let command = A::augment_args(Command::new("backend")).args_override_self(true);
    let flags = flags.iter().map(AsRef::as_ref);
    let matches = command.try_get_matches_from(["backend"].into_iter().chain(flags))?;
    A::from_arg_matches(&matches)
}

/// Returns the environment variables of a backend's flags with their defaults, hidden ones included; a flag without a
/// default has an empty one.
pub fn variables<A: Args>() -> BTreeMap<String, String> {
    let command = A::augment_args(Command::new("backend"));
    let arguments = command.get_arguments().filter_map(|arg| {
        let name = arg.get_env()?.to_string_lossy().into_owned();
        let defaults = arg.get_default_values().iter();
        let default = defaults.map(|value| value.to_string_lossy()).collect();
        Some((name, default))
    });
    arguments.collect()
}
