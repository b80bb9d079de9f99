//! Tasks that have no prediction, in a file and at the end of a run.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
};

use anyhow::Context;
use serde_json::json;

/// Failures that are shown at the end; the file has all.
const MAX_SHOWN: usize = 10;

/// Failures as they come.
pub(super) struct Report {
    file: Option<File>,
    shown: Vec<String>,
}

impl Report {
    /// Opens the file; a run that goes on adds to it.
    pub(super) fn open(path: Option<&Path>, goes_on: bool) -> anyhow::Result<Self> {
        let open = |path: &Path| {
            let mut options = OpenOptions::new();
            options.create(true).write(true);
            let options = options.append(goes_on).truncate(!goes_on);
            options
                .open(path)
                .with_context(|| format!("cannot write {}", path.display()))
        };
        Ok(Self {
            file: path.map(open).transpose()?,
            shown: Vec::new(),
        })
    }

    pub(super) fn add(&mut self, task: i64, reason: &str) -> anyhow::Result<()> {
        if self.shown.len() < MAX_SHOWN {
            self.shown.push(format!("task {task}: {reason}"));
        }
        if let Some(file) = &mut self.file {
            let line = format!("{}\n", json!({ "task": task, "error": reason }));
            file.write_all(line.as_bytes())
                .context("cannot write the report")?;
        }
        Ok(())
    }

    /// Returns the first failures.
    pub(super) fn shown(&self) -> &[String] {
        &self.shown
    }
}
