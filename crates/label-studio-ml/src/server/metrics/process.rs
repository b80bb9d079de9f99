//! Metrics of the process, by the names that Prometheus' clients give them. Linux only.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
};

/// Collects what the kernel knows of this process.
#[derive(Debug)]
pub(super) struct Process;

/// Fields of `/proc/self/stat` after the name of the program, counted from 0 (proc(5)).
const USER_TICKS: usize = 11;
const SYSTEM_TICKS: usize = 12;
const N_THREADS: usize = 17;
const START_TICKS: usize = 19;
const RESIDENT_PAGES: usize = 21;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields: Vec<_> = stat
            .rsplit_once(')')
            .map_or("", |(_, fields)| fields)
            .split_whitespace()
            .collect();
        let field = |idx: usize| fields.get(idx)?.parse::<u64>().ok();
        let per_second = rustix::param::clock_ticks_per_second();
        if let (Some(user), Some(system)) = (field(USER_TICKS), field(SYSTEM_TICKS)) {
            let seconds = ConstCounter::new(seconds(user + system, per_second));
            let help = "Processor time of the process";
            let encoder = encoder.encode_descriptor(
                "process_cpu_seconds",
                help,
                None,
                seconds.metric_type(),
            )?;
            seconds.encode(encoder)?;
        }
        let page = rustix::param::page_size() as u64;
        let n_open = fs::read_dir("/proc/self/fd").map(|fds| fds.count() as u64);
        let started = field(START_TICKS).zip(boot_time());
        let gauges = [
            (
                "process_resident_memory_bytes",
                "Memory of the process",
                field(RESIDENT_PAGES).map(|pages| pages * page),
            ),
            (
                "process_threads",
                "Threads of the process",
                field(N_THREADS),
            ),
            ("process_open_fds", "Open files of the process", n_open.ok()),
            (
                "process_max_fds",
                "Files that the process may open",
                max_fds(),
            ),
            (
                "process_start_time_seconds",
                "When the process started, since 1970",
                started.map(|(ticks, boot)| boot + ticks / per_second),
            ),
        ];
        for (name, help, value) in gauges {
            let Some(value) = value else { continue };
            let gauge = ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX));
            let encoder = encoder.encode_descriptor(name, help, None, gauge.metric_type())?;
            gauge.encode(encoder)?;
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "ticks of some thousand years are exact"
)]
fn seconds(ticks: u64, per_second: u64) -> f64 {
    ticks as f64 / per_second as f64
}

fn max_fds() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Returns when the machine started, in seconds since 1970.
fn boot_time() -> Option<u64> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let line = stat.lines().find_map(|line| line.strip_prefix("btime "))?;
    line.trim().parse().ok()
}
