//! Sends log lines to standard output.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::server::{
    calls::model_slot::panic_text,
    logging::{
        line::Line,
        writer::{Flush, LogWriter},
    },
    settings::args::{LogFormat, LogLevel, ServerArgs},
};

/// Sends log lines to standard output, unless the program set up its own logging before. Dropping
/// the result waits a moment for the lines that are not written yet.
pub(crate) fn start(args: &ServerArgs) -> Flush {
    let level = match args.log_level {
        _ if args.debug => "debug",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warning => "warn",
        LogLevel::Error => "error",
    };
    let filter = EnvFilter::new(format!("{level},hyper=info,ureq=info,rustls=info"));
    let writer = LogWriter::of_process();
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stdout().is_terminal())
        // It would print to standard error, and panic where that cannot be written.
        .log_internal_errors(false)
        .with_writer(writer);
    // A second server of the process finds the logging of the first one.
    let _ = match args.log_format {
        LogFormat::Text => logging.event_format(Line).try_init(),
        LogFormat::Json => logging.json().flatten_event(true).try_init(),
    };
    writer.flush_on_drop()
}

/// Logs panics instead of printing them: standard error may be closed, or not read.
pub(crate) fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic_text(panic.payload());
        tracing::error!(place, "{message}");
    }));
}
