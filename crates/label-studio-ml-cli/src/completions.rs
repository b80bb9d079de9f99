//! `label-studio-ml completions`: the completion script of a shell.

use std::{io::Write, process::ExitCode};

use clap::{Args, Command};
use clap_complete::Shell;

const EXAMPLES: &str = "\
Examples:
  label-studio-ml completions bash > ~/.local/share/bash-completion/completions/label-studio-ml
  label-studio-ml completions zsh > \"${fpath[1]}/_label-studio-ml\"
  label-studio-ml completions fish > ~/.config/fish/completions/label-studio-ml.fish";

/// Print a script that completes this program's arguments in a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CompletionsArgs {
    /// Shell to complete for
    shell: Shell,
}

impl CompletionsArgs {
    /// Prints the script for `command`, which is the whole program.
    pub(crate) fn run(
        &self,
        mut command: Command,
        out: &mut dyn Write,
    ) -> anyhow::Result<ExitCode> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "label-studio-ml", &mut script);
        out.write_all(&script)?;
        Ok(ExitCode::SUCCESS)
    }
}
