//! The flags of `init-project`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::project::LabelStudioConnection;

const EXAMPLES: &str = "\
Examples:
  label-studio-ml init-project --backend yolo photos/
  label-studio-ml init-project --backend ./my_backend texts/*.txt tasks.json --title Reviews
  label-studio-ml init-project --label-config config.xml

Images, recordings and other media are uploaded to Label Studio; a text file becomes a task with its
text; JSON files have tasks as Label Studio imports them. Exit code 3: some files were not imported.";

/// Make a project whose label config fits a backend, and import files
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct InitProjectArgs {
    /// Files and folders to import; of a folder all files, also those in its folders
    #[arg(value_hint = ValueHint::AnyPath)]
    pub(super) files: Vec<PathBuf>,

    /// Ready backend, or folder of a backend; the label config is the first one in its README.md
    #[arg(
        long,
        value_name = "NAME|DIR",
        value_hint = ValueHint::DirPath,
        required_unless_present = "label_config",
        conflicts_with = "label_config"
    )]
    pub(super) backend: Option<PathBuf>,

    /// File with the label config
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) label_config: Option<PathBuf>,

    /// Title of the project; the name of the backend or file by default
    #[arg(long, value_name = "TEXT")]
    pub(super) title: Option<String>,

    /// Checkout of label-studio-ml with the ready backends [default: the one that this program was built in]
    #[arg(long, value_name = "DIR")]
    pub(super) sdk_path: Option<PathBuf>,

    /// How to reach Label Studio
    #[command(flatten)]
    pub(super) connection: LabelStudioConnection,
}
