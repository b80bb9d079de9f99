//! The flags of `predict`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::project::{LabelStudioConnection, ModelArgs, SelectionArgs};

const EXAMPLES: &str = "\
Examples:
  label-studio-ml predict --project 3                       all tasks, by the backend on port 9090
  label-studio-ml predict --project 3 --backend my_backend  starts the backend of a folder itself
  label-studio-ml predict --project 3 --view 7 --limit 100 --report failed.jsonl
  label-studio-ml predict --project 3 --ids 10-20,35 --replace
  label-studio-ml predict --project 3 --watch --train-every 20
  label-studio-ml predict --label-config config.xml photo.jpg *.txt --backend my_backend --draw out/

Label Studio is named by LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY. A run that was interrupted goes on
when the same command is given in the same folder. It connects to Label Studio and to the backend;
nothing needs to reach this machine.

Exit code 0: every task has a prediction. 1: it could not go on. 3: some tasks failed.";

/// Predict a whole project of Label Studio, or files
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PredictArgs {
    /// Number of the project in Label Studio
    #[arg(long, value_name = "ID", required_unless_present = "label_config")]
    pub(super) project: Option<i64>,

    #[command(flatten)]
    pub(super) selection: SelectionArgs,

    #[command(flatten)]
    pub(super) run: RunArgs,

    #[command(flatten)]
    pub(super) watch: WatchArgs,

    #[command(flatten)]
    pub(super) files: FilesArgs,

    #[command(flatten)]
    pub(super) model: ModelArgs,

    #[command(flatten)]
    pub(super) connection: LabelStudioConnection,
}

/// How a project is predicted
#[derive(Debug, Args)]
#[command(next_help_heading = "Run")]
pub(super) struct RunArgs {
    /// Predict only tasks without a prediction of the current model version; this is the default
    #[arg(long, overrides_with = "replace")]
    only_missing: bool,

    /// Predict tasks with a prediction of the current model version as well, and replace it
    #[arg(long, overrides_with = "only_missing")]
    pub(super) replace: bool,

    /// Tasks of one request to the backend
    #[arg(long, value_name = "COUNT", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) batch_size: u16,

    /// Requests to the backend at the same time
    #[arg(long, value_name = "COUNT", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) concurrency: u16,

    /// Tasks whose predictions are stored by one request to Label Studio
    #[arg(long, value_name = "COUNT", default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=5000))]
    pub(super) store_size: u16,

    /// Further attempts for a task that fails
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    pub(super) retries: u32,

    /// Seconds to wait for a Label Studio or a backend that does not answer; default: 600, and no end with --watch
    #[arg(long, value_name = "SECONDS")]
    pub(super) wait: Option<u32>,

    /// Model version of predictions if the backend gives none
    #[arg(long, value_name = "NAME")]
    pub(super) model_version: Option<String>,

    /// File that gets a line of JSON for each task that fails
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) report: Option<PathBuf>,

    /// Folder with the state of runs that are not finished
    #[arg(long, value_name = "DIR", default_value = ".label-studio-ml", value_hint = ValueHint::DirPath)]
    pub(super) state_dir: PathBuf,

    /// Count the tasks that would be predicted, and do nothing else
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// Going on as tasks arrive
#[derive(Debug, Args)]
#[command(next_help_heading = "Watch")]
pub(super) struct WatchArgs {
    /// Go on as tasks arrive, until stopped
    #[arg(long, requires = "project", conflicts_with_all = ["dry_run", "limit", "view", "filter", "ids", "replace"])]
    pub(super) watch: bool,

    /// Start a training after so many new annotations, and predict with the new version
    #[arg(long, value_name = "COUNT", requires = "watch", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) train_every: Option<u32>,

    /// Seconds between two looks at the project
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0, value_parser = seconds)]
    pub(super) poll_every: f64,
}

/// Files instead of a project
#[derive(Debug, Args)]
#[command(next_help_heading = "Without Label Studio")]
pub(super) struct FilesArgs {
    /// File with a label config; FILES are predicted, and Label Studio is not needed
    #[arg(long, value_name = "FILE", requires = "files", conflicts_with = "project", value_hint = ValueHint::FilePath)]
    pub(super) label_config: Option<PathBuf>,

    /// Images, other media, texts, or JSON files with tasks
    #[arg(value_name = "FILES", requires = "label_config", value_hint = ValueHint::FilePath)]
    pub(super) files: Vec<PathBuf>,

    /// File for tasks with their predictions, which Label Studio imports; default: the standard output
    #[arg(long, value_name = "FILE", requires = "label_config", value_hint = ValueHint::FilePath)]
    pub(super) out: Option<PathBuf>,

    /// Folder for pages that show the predictions
    #[arg(long, value_name = "DIR", requires = "label_config", value_hint = ValueHint::DirPath)]
    pub(super) draw: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok();
    let seconds = seconds.filter(|seconds: &f64| (0.01..=86_400.0).contains(seconds));
    seconds.ok_or_else(|| "not a number of seconds between 0.01 and 86400".to_owned())
}
