//! The `label-studio-ml` command line: [`run`] takes the arguments and answers with the exit code.
//!
//! Each sub-command is one module of the same shape: an `Args` struct, which is its help and the only place that
//! reads the environment, with a `run` method.
//!
//! - `create` writes a new backend from `template/` or `python_template/`, which the tests build and run;
//! - `start` builds a backend with cargo and runs it;
//! - `deploy` puts a backend on a cloud provider;
//! - `init-project` makes a project whose label config fits a backend, and imports files;
//! - `connect` connects a backend to a project;
//! - `doctor` checks why Label Studio shows no predictions;
//! - `predict` predicts a whole project, or files without Label Studio;
//! - `evaluate` compares predictions with annotations;
//! - `jobs` lists, watches, cancels and retries the trainings of a backend;
//! - `list` prints the ready backends of a checkout;
//! - `versions` lists the versions of a backend's models and goes back to one;
//! - `completions` prints a shell's completion script.
//!
//! The Python package has the same command line: [`run_with_python`] adds the commands for Python backends, which it
//! implements with the trait [`Python`].
//!
//! Data goes to the standard output and everything else to the standard error.
//!
//! ```
//! use std::process::ExitCode;
//!
//! let code = label_studio_ml_cli::run(["label-studio-ml", "completions", "bash"]);
//! assert_eq!(code, ExitCode::SUCCESS);
//! ```

mod backend;
mod backend_name;
mod cargo;
mod checkout;
mod cli;
mod completions;
mod create;
mod deploy;
mod doctor;
mod draw;
mod evaluate;
mod init_project;
mod inputs;
mod jobs;
mod list;
pub mod metrics;
mod predict;
mod project;
mod python;
mod python_template;
mod shell;
mod start;
mod template;
mod terminal;
mod versions;

pub use cli::{run, run_with_python};
pub use python::Python;
