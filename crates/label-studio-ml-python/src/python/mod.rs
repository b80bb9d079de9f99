//! The Python module `label_studio_ml._internal._native`.

mod command_line;
mod http_server;
mod store;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::command_line::main;
    #[pymodule_export]
    use super::http_server::{Job, Server};
    #[pymodule_export]
    use super::store::Store;
    #[pymodule_export]
    use super::{bump_model_version, match_labels};
}

/// Returns the most similar label for each line of a text.
#[pyfunction]
#[expect(
    clippy::needless_pass_by_value,
    reason = "Python hands over owned values"
)]
fn match_labels(text: &str, labels: Vec<String>) -> Vec<String> {
    label_studio_ml::match_labels(text, &labels)
        .into_iter()
        .map(str::to_owned)
        .collect()
}

/// Returns the model version after a training.
#[pyfunction]
fn bump_model_version(version: &str) -> String {
    label_studio_ml::model_version::bump(version)
}
