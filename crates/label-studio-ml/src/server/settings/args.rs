//! The flags that every backend has.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{ArgAction, Args, Parser, ValueEnum};
use label_studio_sdk::http::NetworkArgs;
use serde_json::Value;

use crate::server::settings::{
    basic_auth_args::BasicAuthArgs,
    label_studio_args::LabelStudioArgs,
    value_parsers::{choice, first_set, key_value, number, path, switch},
};

const LOG_LEVELS: &str = "DEBUG|INFO|WARNING|ERROR";

/// Flags of every backend. Each flag also has an environment variable, shown beside it
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct ServerArgs {
    /// Port to listen on; 0 picks a free one
    #[arg(short, long, env = "PORT", default_value = "9090", value_parser = number::<u16>(9090, 0..=u16::MAX))]
    pub port: u16,

    /// Address to listen on
    #[arg(long, env = "HOST_ADDRESS", default_value = "0.0.0.0")]
    pub host: String,

    /// Log at level DEBUG, which includes requests
    #[arg(short, long)]
    pub debug: bool,

    /// How much to log
    #[arg(long, env = "LOG_LEVEL", default_value = "INFO", value_name = LOG_LEVELS, value_parser = log_level)]
    pub log_level: LogLevel,

    /// Form of log lines
    #[arg(long, env = "LOG_FORMAT", default_value = "text", value_name = "text|json", value_parser = log_format)]
    pub log_format: LogFormat,

    /// Folder for cache.db and trained models
    #[arg(long, env = "MODEL_DIR", default_value = ".", value_parser = path())]
    pub model_dir: PathBuf,

    /// Load the model before listening, and exit if that fails
    #[arg(long)]
    pub check: bool,

    /// Parameters of the model; they override those of --config
    #[arg(long = "kwargs", visible_alias = "with", value_name = "KEY=VALUE", num_args = 1.., value_parser = key_value)]
    pub kwargs: Vec<(String, Value)>,

    /// JSON file with parameters of the model; a config.json that is not named is not read
    #[arg(long, env = "CONFIG_FILE", value_parser = path())]
    pub config: Option<PathBuf>,

    /// Credentials that clients must send
    #[command(flatten)]
    pub basic_auth: BasicAuthArgs,

    /// Secret that webhooks may send as X-Webhook-Secret instead of user and password
    #[arg(long, env = "WEBHOOK_SECRET", hide_env_values = true)]
    pub webhook_secret: Option<String>,

    /// Answer /health, /live and /ready without credentials
    #[arg(long, env = "PUBLIC_HEALTH", action = ArgAction::SetTrue, value_parser = switch)]
    pub public_health: bool,

    /// Calls to the model that may run at the same time
    #[arg(long, env = "THREADS", default_value = "8", value_parser = number::<u16>(8, 1..=1024))]
    pub threads: u16,

    /// Worker processes of a Python backend; a native backend has one process
    #[arg(long, env = "WORKERS", default_value = "1", value_parser = number::<u16>(1, 0..=u16::MAX))]
    pub workers: u16,

    /// Calls that may wait for a thread; beyond that the answer is 503 with Retry-After
    #[arg(long, env = "MAX_QUEUE", default_value = "512", value_parser = number::<usize>(512, 0..=usize::MAX))]
    pub max_queue: usize,

    /// Seconds until a prediction is answered with 504; Label Studio waits 100
    #[arg(long, env = "PREDICT_TIMEOUT", default_value = "95", value_parser = number::<u32>(95, 1..=86_400))]
    pub predict_timeout: u32,

    /// Trainings that may run at the same time, each for another project
    #[arg(long, env = "FIT_THREADS", default_value = "4", value_parser = number::<u16>(4, 1..=1024))]
    pub fit_threads: u16,

    /// Attempts of a training that a crash cut short, or that failed for now
    #[arg(long, env = "FIT_ATTEMPTS", default_value = "3", value_parser = number::<u32>(3, 1..=1000))]
    pub fit_attempts: u32,

    /// Trainings and events that may wait; beyond that the answer is 503 with Retry-After
    #[arg(long, env = "MAX_JOBS", default_value = "200000", value_parser = number::<u64>(200_000, 1..=u64::MAX))]
    pub max_jobs: u64,

    /// Size of the trainings and events that may wait, in MiB; 64 at most if kept in memory
    #[arg(long, env = "MAX_JOBS_MB", default_value = "2048", value_parser = number::<u32>(2048, 1..=u32::MAX))]
    pub max_jobs_mb: u32,

    /// Trainings that are remembered after their end
    #[arg(long, env = "KEEP_JOBS", default_value = "1000", value_parser = number::<usize>(1000, 0..=usize::MAX))]
    pub keep_jobs: usize,

    /// Versions of a project's model to keep besides the active one
    #[arg(long, env = "KEEP_VERSIONS", default_value = "5", value_parser = number::<usize>(5, 0..=usize::MAX))]
    pub keep_versions: usize,

    /// Where trained models are kept for all replicas: a folder, s3://, gs:// or az://; default: the folder versions in the model folder
    #[arg(long, env = "ARTIFACT_URL")]
    pub artifact_url: Option<String>,

    /// Largest request body, in MiB
    #[arg(long, env = "MAX_BODY_MB", default_value = "256", value_parser = number::<u32>(256, 1..=4095))]
    pub max_body_mb: u32,

    /// Memory for request bodies, in MiB
    #[arg(long, env = "MAX_BODIES_MB", default_value = "512", value_parser = number::<u32>(512, 1..=65535))]
    pub max_bodies_mb: u32,

    /// Seconds for running calls to end after SIGTERM
    #[arg(long, env = "DRAIN_SECONDS", default_value = "110", value_parser = number::<u64>(110, 0..=86_400))]
    pub drain_seconds: u64,

    /// Where values of projects and trainings are stored; postgres is for several replicas
    #[arg(long, env = "CACHE_TYPE", default_value = "sqlite", value_name = "sqlite|postgres|memory", value_parser = cache_type)]
    pub cache_type: CacheType,

    /// Address of the PostgreSQL database: `postgres://user:password@host/database`
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,

    /// Connection to Label Studio and the files of its tasks
    #[command(flatten)]
    pub label_studio: LabelStudioArgs,

    /// How other machines are reached
    #[command(flatten)]
    pub network: NetworkArgs,

    /// Folder with the built files of Label Studio's editor, in which the dashboard shows results
    #[arg(long, env = "DASHBOARD_EDITOR", value_parser = path())]
    pub dashboard_editor: Option<PathBuf>,

    /// Answer browsers at / like programs, without a dashboard
    #[arg(long, env = "NO_DASHBOARD", action = ArgAction::SetTrue, value_parser = switch)]
    pub no_dashboard: bool,

    /// Version that the backend reports as its own
    #[arg(long, env = "VERSION_OVERRIDE", hide = true)]
    pub version_override: Option<String>,
}

/// How much to log
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum LogLevel {
    /// Everything, including requests
    Debug,
    /// Normal operation
    Info,
    /// Problems that may need action
    Warning,
    /// Failures
    Error,
}

/// Form of log lines
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object per line
    Json,
}

/// Where values of projects are stored
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CacheType {
    /// The file cache.db in the model folder
    Sqlite,
    /// A PostgreSQL database that several replicas share
    Postgres,
    /// In memory; lost when the process ends
    Memory,
}

#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    server: ServerArgs,
}

impl Default for ServerArgs {
    /// The flags of a command line without arguments, environment included.
    fn default() -> Self {
        Defaults::parse_from(["backend"]).server
    }
}

impl ServerArgs {
    /// Returns the credentials of basic auth, which is on only when both parts are given.
    pub fn basic_auth(&self) -> Option<(&str, &str)> {
        self.basic_auth.credentials()
    }

    /// Returns the secret of webhooks.
    pub fn webhook_secret(&self) -> Option<&str> {
        first_set([&self.webhook_secret])
    }

    /// Returns the parameters of the model: those of the config file, overridden by `--kwargs`.
    ///
    /// # Errors
    /// When the file that was named cannot be read, or is not a JSON object.
    pub fn model_params(&self) -> anyhow::Result<BTreeMap<String, Value>> {
        use anyhow::Context;
        // An empty variable counts as not set.
        let config = self
            .config
            .as_deref()
            .filter(|config| !config.as_os_str().is_empty());
        let mut params = match config {
            Some(config) => {
                let json = std::fs::read(config)
                    .with_context(|| format!("cannot read {}", config.display()))?;
                serde_json::from_slice(&json)
                    .with_context(|| format!("{} is not a JSON object", config.display()))?
            }
            None => BTreeMap::new(),
        };
        params.extend(self.kwargs.iter().cloned());
        Ok(params)
    }

    /// Returns the version that the backend reports as its own.
    pub fn version(&self) -> &str {
        self.version_override
            .as_deref()
            .unwrap_or(env!("CARGO_PKG_VERSION"))
    }
}

fn log_level(text: &str) -> Result<LogLevel, String> {
    choice(text, LogLevel::Info).ok_or_else(|| format!("expected one of {LOG_LEVELS}"))
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    choice(text, LogFormat::Text).ok_or_else(|| "expected text or json".to_owned())
}

fn cache_type(text: &str) -> Result<CacheType, String> {
    choice(text, CacheType::Sqlite).ok_or_else(|| "expected sqlite, postgres or memory".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn parameters_come_only_from_what_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        std::fs::write(&file, r#"{ "depth": 1, "width": 2 }"#).unwrap();
        let params = |options: &[&str]| {
            let args = ["backend", "--kwargs", "depth=3"].iter().chain(options);
            Defaults::parse_from(args).server.model_params()
        };
        let config = file.to_str().unwrap();
        let both = BTreeMap::from([
            ("depth".to_owned(), json!(3)),
            ("width".to_owned(), json!(2)),
        ]);
        assert_eq!(params(&["--config", config]).unwrap(), both);
        let given = BTreeMap::from([("depth".to_owned(), json!(3))]);
        assert_eq!(params(&["--config", ""]).unwrap(), given);
        let missing = folder.path().join("missing.json");
        let error = params(&["--config", missing.to_str().unwrap()]).unwrap_err();
        assert!(error.to_string().starts_with("cannot read"), "{error}");
        assert_eq!(ServerArgs::default().config, None);
    }
}
