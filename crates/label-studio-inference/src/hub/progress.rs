//! Progress of a download: a bar on a terminal, else log lines.

use std::{
    io::IsTerminal,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

const BAR: &str = "{msg} [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} ({eta})";
const BETWEEN_LINES: Duration = Duration::from_secs(10);
const MIB: u64 = 1 << 20;

pub(super) enum Progress {
    Bar(ProgressBar),
    Lines {
        file: String,
        n_bytes: u64,
        size: u64,
        last_line: Instant,
    },
}

impl Progress {
    pub(super) fn start(file: &str, n_bytes: u64, size: u64) -> Self {
        tracing::info!(
            file,
            mib = size.div_ceil(MIB),
            from_mib = n_bytes / MIB,
            "fetching weights"
        );
        if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template(BAR).expect("the template is valid");
            let name = file.rsplit('/').next().unwrap_or(file).to_owned();
            let bar = ProgressBar::new(size)
                .with_style(style)
                .with_message(name)
                .with_position(n_bytes);
            return Self::Bar(bar);
        }
        Self::Lines {
            file: file.to_owned(),
            n_bytes,
            size,
            last_line: Instant::now(),
        }
    }

    pub(super) fn advance(&mut self, n_more: u64) {
        match self {
            Self::Bar(bar) => bar.inc(n_more),
            Self::Lines {
                file,
                n_bytes,
                size,
                last_line,
            } => {
                *n_bytes += n_more;
                if last_line.elapsed() >= BETWEEN_LINES {
                    *last_line = Instant::now();
                    let percent = *n_bytes * 100 / (*size).max(1);
                    tracing::info!(
                        file,
                        mib = *n_bytes / MIB,
                        of_mib = size.div_ceil(MIB),
                        percent,
                        "fetching weights"
                    );
                }
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
