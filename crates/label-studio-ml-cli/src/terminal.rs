//! Messages to the person at the terminal, on the standard error.

use std::io::Write;

use clap::builder::styling::{AnsiColor, Style};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const NOTE: Style = AnsiColor::Cyan.on_default().bold();

/// Prints something that is neither data nor an error.
pub(crate) fn note(text: &str) {
    let _ = writeln!(anstream::stderr(), "{NOTE}note:{NOTE:#} {}", lines(text));
}

/// Prints an error and its causes.
pub(crate) fn error(error: &anyhow::Error) {
    let text = format!("{error:#}");
    let _ = writeln!(
        anstream::stderr(),
        "{ERROR}error:{ERROR:#} {}",
        lines(&text)
    );
}

/// Returns a value from elsewhere in one line, its control characters escaped: it must neither control the terminal nor
/// pass for another line.
pub(crate) fn line(value: &str) -> String {
    escaped(value, "")
}

/// Returns a text from elsewhere, its control characters escaped but for line breaks and tabs.
pub(crate) fn lines(text: &str) -> String {
    escaped(text, "\n\t")
}

fn escaped(text: &str, kept: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        // Those that change the direction of text could hide a part of it.
        let hides = matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if (c.is_control() || hides) && !kept.contains(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}
