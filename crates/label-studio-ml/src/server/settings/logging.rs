//! Log lines: `[time] [LEVEL] [target::line] message field=value` on standard output.

use std::{fmt, io::IsTerminal};

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};

use crate::server::settings::args::{LogLevel, ServerArgs};

/// Sends log lines to standard output, unless the program set up its own logging before.
pub(crate) fn start(args: &ServerArgs) {
    let level = match args.log_level {
        _ if args.debug => "debug",
        LogLevel::Debug => "debug",
        LogLevel::Info => "info",
        LogLevel::Warning => "warn",
        LogLevel::Error => "error",
    };
    let filter = EnvFilter::new(format!("{level},hyper=info,ureq=info,rustls=info"));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stdout().is_terminal())
        .event_format(Line);
    let _ = logging.try_init();
}

struct Line;

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
        write!(
            writer,
            "] [{}] [{}::{}] ",
            meta.level(),
            meta.target(),
            meta.line().unwrap_or(0)
        )?;
        ctx.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}
