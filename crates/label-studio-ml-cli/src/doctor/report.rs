//! Results of checks, and how they are printed.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::builder::styling::{AnsiColor, Style};

use super::fix::Fix;
use crate::terminal::line;

/// Advice for a fault that has a fix.
const BY_FIX: &str = "(doctor --fix does it)";

/// Result of a check. The text names the thing and, for all but the first kind, the fix.
pub(super) enum Finding {
    /// It works.
    Fine(String),
    /// It may not work.
    Warning(String),
    /// It does not work.
    Failure(String),
    /// It does not work, and `--fix` can correct it.
    Fixable { fault: String, fix: Fix },
    /// A fault that `--fix` has corrected.
    Fixed(String),
    /// Not run, because an earlier check did not find what this one needs.
    Skipped(&'static str),
}

/// Prints findings as they come, and counts failures.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    n_failures: usize,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out, n_failures: 0 }
    }

    pub(super) fn add(&mut self, check: &str, finding: &Finding) -> io::Result<()> {
        let (mark, colour, text, advice) = match finding {
            Finding::Fine(text) => ("ok", AnsiColor::Green, text.as_str(), ""),
            Finding::Warning(text) => ("warn", AnsiColor::Yellow, text.as_str(), ""),
            Finding::Failure(text) => ("FAIL", AnsiColor::Red, text.as_str(), ""),
            Finding::Fixable { fault, .. } => ("FAIL", AnsiColor::Red, fault.as_str(), BY_FIX),
            Finding::Fixed(text) => ("fix", AnsiColor::Cyan, text.as_str(), ""),
            Finding::Skipped(text) => ("skip", AnsiColor::BrightBlack, *text, ""),
        };
        self.n_failures += usize::from(mark == "FAIL");
        let style: Style = colour.on_default();
        // An answer from elsewhere may have line breaks; a check has one line.
        let text: Vec<_> = text.split_whitespace().chain([advice]).collect();
        writeln!(
            self.out,
            "{style}{mark:<4}{style:#}  {check:<12}  {}",
            line(text.join(" ").trim_end())
        )?;
        self.out.flush()
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        if self.n_failures == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes in one line.
pub(super) fn chain(error: impl std::error::Error + Send + Sync + 'static) -> String {
    format!("{:#}", anyhow::Error::new(error))
}
