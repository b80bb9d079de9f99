//! The flags of a Python backend.

use std::time::Duration;

use clap::Parser;
use label_studio_ml::ServerArgs;

const NOTES: &str = "\
The model runs in WORKERS processes with THREADS threads each. If a process crashes, the request that crashed it gets an \
error, the process is restarted, and other requests in it are retried.";

/// Serve a Python model
#[derive(Debug, Parser)]
#[command(
    name = "label-studio-ml start",
    override_usage = "label-studio-ml start <DIR | FILE.py[:CLASS]> [OPTIONS]",
    after_help = NOTES
)]
pub(super) struct StartArgs {
    #[command(flatten)]
    pub(super) server: ServerArgs,

    #[command(flatten)]
    pub(super) workers: WorkerArgs,
}

/// Flags of the worker processes
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Workers")]
pub(super) struct WorkerArgs {
    /// How worker processes are started
    #[arg(long, env = "START_METHOD", value_enum, default_value_t = StartMethod::Spawn)]
    pub(super) start_method: StartMethod,

    /// Seconds after which a prediction or setup counts as hung and its process is killed; 0 waits for ever
    #[arg(long, env = "PREDICT_DEADLINE", default_value_t = 600)]
    predict_deadline: u32,

    /// Seconds after which a training counts as hung and its process is killed; 0 waits for ever
    #[arg(long, env = "FIT_DEADLINE", default_value_t = 0)]
    fit_deadline: u32,

    /// Seconds for a cancelled training to end by itself, before its process is killed
    #[arg(long, env = "CANCEL_GRACE", default_value_t = 10)]
    cancel_grace: u32,
}

/// How worker processes are started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StartMethod {
    /// A new process that imports the model itself
    Spawn,
    /// A fork of a process that has imported the model: restarts in milliseconds after a crash and shares memory. Not for
    /// models that use CUDA or start threads at import
    Fork,
}

impl WorkerArgs {
    pub(super) fn predict_deadline(&self) -> Option<Duration> {
        seconds(self.predict_deadline)
    }

    pub(super) fn fit_deadline(&self) -> Option<Duration> {
        seconds(self.fit_deadline)
    }

    pub(super) fn cancel_grace(&self) -> Duration {
        Duration::from_secs(self.cancel_grace.into())
    }
}

fn seconds(seconds: u32) -> Option<Duration> {
    (seconds > 0).then(|| Duration::from_secs(seconds.into()))
}
