//! What a backend's command line reads of the environment.

use std::collections::BTreeMap;

use clap::Command;

/// Returns the environment variables of a command line with their defaults, hidden ones among them; nothing stands for
/// no default.
pub fn variables(command: &Command) -> BTreeMap<String, String> {
    let arguments = command.get_arguments().filter_map(|arg| {
        let name = arg.get_env()?.to_string_lossy().into_owned();
        let defaults = arg.get_default_values().iter();
        let default = defaults.map(|value| value.to_string_lossy()).collect();
        Some((name, default))
    });
    arguments.collect()
}
