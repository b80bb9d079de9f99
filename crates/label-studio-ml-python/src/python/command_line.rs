//! The command `label-studio-ml` of the Python package.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::anyhow;
use label_studio_ml_cli::run_with_python;
use pyo3::prelude::*;

use crate::workers;

/// The Python interpreter of this process, which also runs the models.
struct Interpreter {
    executable: PathBuf,
}

/// Runs the command line and returns its exit code; `executable` is the Python to run models with.
#[pyfunction]
pub(super) fn main(py: Python<'_>, args: Vec<OsString>, executable: PathBuf) -> u8 {
    let interpreter = Interpreter { executable };
    py.detach(|| number(run_with_python(args, &interpreter)))
}

impl label_studio_ml_cli::Python for Interpreter {
    fn executable(&self) -> &Path {
        &self.executable
    }

    fn model_classes(&self, script: &Path) -> anyhow::Result<Vec<String>> {
        let classes = Python::attach(|py| {
            let base = py
                .import("label_studio_ml.model")?
                .getattr("LabelStudioMLBase")?;
            let classes = py.import("label_studio_ml._internal.model_classes")?;
            classes
                .call_method1("candidates", (script, base))?
                .extract()
        });
        classes.map_err(|error: PyErr| anyhow!("cannot import {}: {error}", script.display()))
    }

    fn start(&self, target: &OsStr, server_options: Vec<OsString>) -> anyhow::Result<ExitCode> {
        workers::start(&self.executable, target, server_options)
    }
}

/// Returns the number of an `ExitCode`, which has no getter: it is compared with all numbers.
fn number(code: ExitCode) -> u8 {
    (0..=u8::MAX)
        .find(|number| ExitCode::from(*number) == code)
        .unwrap_or(1)
}
