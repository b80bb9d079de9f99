//! The text form of a log line: `[time] [LEVEL] [target::line] message field=value`.

use std::fmt;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

/// Longest message with its fields, in bytes: a caller chooses some of the values.
const MAX_BYTES: usize = 8 * 1024;

/// Formats events as lines of text.
pub(crate) struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        ctx: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let meta = event.metadata();
        write!(writer, "[")?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, "] [")?;
        write_level(&mut writer, *meta.level())?;
        write!(
            writer,
            "] [{}::{}] ",
            meta.target(),
            meta.line().unwrap_or(0)
        )?;
        // Without colours, whose escape codes would be escaped, too.
        let mut text = String::new();
        ctx.format_fields(Writer::new(&mut text), event)?;
        write_escaped(&mut writer, &text)?;
        writeln!(writer)
    }
}

fn write_level(writer: &mut Writer<'_>, level: Level) -> fmt::Result {
    if !writer.has_ansi_escapes() {
        return write!(writer, "{level}");
    }
    let colour = match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    };
    write!(writer, "\u{1b}[{colour}m{level}\u{1b}[0m")
}

/// Writes a text with its control characters escaped, so that no value forges a line or controls a
/// terminal, and cuts it.
fn write_escaped(writer: &mut Writer<'_>, text: &str) -> fmt::Result {
    let (text, n_cut) = match text.char_indices().find(|(at, _)| *at >= MAX_BYTES) {
        Some((end, _)) => (&text[..end], text.len() - end),
        None => (text, 0),
    };
    if text.chars().any(is_escaped) {
        for c in text.chars() {
            if is_escaped(c) {
                write!(writer, "{}", c.escape_default())?;
            } else {
                writer.write_char(c)?;
            }
        }
    } else {
        writer.write_str(text)?;
    }
    if n_cut > 0 {
        write!(writer, "... ({n_cut} more bytes)")?;
    }
    Ok(())
}

/// Control characters, and those that separate lines or change the direction of text.
fn is_escaped(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut written = String::new();
        write_escaped(&mut Writer::new(&mut written), text).unwrap();
        written
    }

    #[test]
    fn no_value_forges_a_line_or_controls_a_terminal() {
        let forged = "project=1\n[2026] [INFO] all is well\r\u{1b}[2J\u{202e}";
        assert_eq!(
            escaped(forged),
            r"project=1\n[2026] [INFO] all is well\r\u{1b}[2J\u{202e}"
        );
        assert_eq!(escaped("naïve 日本 é"), "naïve 日本 é");
    }

    #[test]
    fn long_values_are_cut() {
        let line = escaped(&"é".repeat(MAX_BYTES));
        assert!(line.len() < MAX_BYTES + 40, "{}", line.len());
        assert!(line.ends_with("... (8192 more bytes)"), "{line}");
    }
}
