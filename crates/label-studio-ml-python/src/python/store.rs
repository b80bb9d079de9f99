use std::{collections::HashMap, path::PathBuf};

use label_studio_ml::{
    ProjectId,
    store::{SqliteStore, Store as _, StoreError},
};
use pyo3::{exceptions::PyOSError, prelude::*, types::PyBytes};

/// Values of projects in an SQLite file, shared with every process that uses the same file.
#[pyclass(frozen)]
pub(super) struct Store {
    store: SqliteStore,
}

#[pymethods]
impl Store {
    /// Opens nothing yet: the file is created at the first use.
    #[new]
    fn new(path: PathBuf) -> Self {
        Self {
            store: SqliteStore::in_file(path),
        }
    }

    /// Reads a value as any process wrote it last.
    fn get(&self, py: Python<'_>, project: &str, key: &str) -> PyResult<Option<String>> {
        let project = ProjectId::parse(project);
        // Releasing the GIL costs more than reading a cached value.
        if let Some(value) = self.store.recent(&project, key) {
            return Ok(value);
        }
        py.detach(|| self.store.get(&project, key)).map_err(failure)
    }

    /// Writes a value. An unchanged one commits nothing.
    fn set(&self, py: Python<'_>, project: &str, key: &str, value: &str) -> PyResult<()> {
        let project = ProjectId::parse(project);
        py.detach(|| self.store.set(&project, key, value))
            .map_err(failure)
    }

    /// Removes a value.
    fn remove(&self, py: Python<'_>, project: &str, key: &str) -> PyResult<()> {
        let project = ProjectId::parse(project);
        py.detach(|| self.store.remove(&project, key))
            .map_err(failure)
    }

    /// Returns a marker that each write by any process changes; None before the first read, or when it is unknown.
    fn state<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        let state = self.store.state()?;
        Some(PyBytes::new(py, state.as_ref()))
    }

    /// Returns whether all these keys have these values.
    fn holds(
        &self,
        py: Python<'_>,
        project: &str,
        values: HashMap<String, Option<String>>,
    ) -> PyResult<bool> {
        let project = ProjectId::parse(project);
        py.detach(|| {
            for (key, value) in values {
                if self.store.get(&project, &key)? != value {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .map_err(failure)
    }
}

fn failure(error: StoreError) -> PyErr {
    PyOSError::new_err(format!("{:#}", label_studio_ml::anyhow::Error::from(error)))
}
