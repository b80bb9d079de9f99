//! The command line of a backend.

use clap::{Arg, Command, Parser, builder::Resettable};

/// Reads a backend's command line and environment, and exits with a message when they are wrong.
///
/// Like `A::parse()`, except that an empty variable counts as not set, which is what compose files
/// mean by `DEVICE: ${DEVICE:-}`.
///
/// ```no_run
/// use clap::Parser;
/// use label_studio_ml::{ServerArgs, parse_args};
///
/// /// Suggest something
/// #[derive(Parser)]
/// struct Args {
///     #[command(flatten)]
///     server: ServerArgs,
///     /// Regions to suggest at most
///     #[arg(long, env = "MAX_REGIONS", default_value_t = 10)]
///     max_regions: usize,
/// }
///
/// let Args { server, max_regions } = parse_args();
/// ```
pub fn parse_args<A: Parser>() -> A {
    parse_args_keeping(&[])
}

/// Like [`parse_args`], except that the variables with these names may be empty.
pub fn parse_args_keeping<A: Parser>(names: &[&str]) -> A {
    let mut command = ignoring_empty_variables(A::command(), names);
    let matches = command.get_matches_mut();
    A::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

/// Makes empty variables count as not set, as [`parse_args`] does.
pub fn ignore_empty_variables(command: Command) -> Command {
    ignoring_empty_variables(command, &[])
}

fn ignoring_empty_variables(command: Command, kept: &[&str]) -> Command {
    command.mut_args(|arg| {
        if is_empty_variable(&arg, kept) {
            arg.env(Resettable::Reset)
        } else {
            arg
        }
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "reads only the variables that an Args struct names"
)]
fn is_empty_variable(arg: &Arg, kept: &[&str]) -> bool {
    let Some(name) = arg.get_env() else {
        return false;
    };
    !kept.iter().any(|kept| *kept == name)
        && std::env::var_os(name).is_some_and(|value| value.is_empty())
}
