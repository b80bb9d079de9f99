//! The `label-studio-ml` program: a few lines over the library's [`run`].

use std::process::ExitCode;

use label_studio_ml_cli::run;

fn main() -> ExitCode {
    run(std::env::args_os())
}
