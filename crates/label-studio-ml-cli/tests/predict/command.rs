//! The command, with a folder of its own.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use label_studio_testing::MockProject;
use serde_json::{Value, json};

use crate::backend::{Backend, LABEL_CONFIG};

/// Label Studio, a backend, and a folder for the state.
pub(crate) struct Stage {
    pub(crate) label_studio: MockProject,
    pub(crate) backend: Backend,
    pub(crate) folder: tempfile::TempDir,
}

/// What a command has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Stage {
    /// Starts a project of tasks with these texts.
    pub(crate) fn with_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(texts, Backend::start())
    }

    pub(crate) fn new<'a>(texts: impl IntoIterator<Item = &'a str>, backend: Backend) -> Self {
        let label_studio = MockProject::start(LABEL_CONFIG);
        let texts = texts.into_iter().map(|text| json!({ "text": text }));
        label_studio.table().add_tasks(texts);
        Self {
            label_studio,
            backend,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
        command
            .args(["predict", "--project", "1", "--backend-url"])
            .arg(self.backend.service.url(""))
            .args(args)
            .env_clear()
            .env("LABEL_STUDIO_URL", self.label_studio.url(""))
            .env(
                "LABEL_STUDIO_API_KEY",
                "0123456789abcdef0123456789abcdef01234567",
            )
            .current_dir(self.folder.path());
        command
    }

    pub(crate) fn predict(&self, args: &[&str]) -> Said {
        said(self.command(args).output().unwrap())
    }

    pub(crate) fn spawn(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Returns the model versions of all tasks' predictions.
    pub(crate) fn versions(&self) -> Vec<Vec<String>> {
        let table = self.label_studio.table();
        let versions = |id: &i64| table.versions(*id).into_iter().map(str::to_owned).collect();
        table.tasks.keys().map(versions).collect()
    }

    /// Checks that each task has one prediction of the first version.
    pub(crate) fn check_each_has_one(&self) {
        let versions = self.versions();
        let wrong: Vec<_> = versions.iter().filter(|made| **made != ["v1"]).collect();
        assert!(wrong.is_empty(), "{wrong:?} of {}", versions.len());
    }

    pub(crate) fn report(&self, name: &str) -> Vec<Value> {
        lines(&self.folder.path().join(name))
    }
}

pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap()
}

pub(crate) fn said(output: Output) -> Said {
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
