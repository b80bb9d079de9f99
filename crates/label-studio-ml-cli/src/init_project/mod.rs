//! `label-studio-ml init-project`: a new project whose label config fits a backend, with files as its tasks.

mod args;
mod files;
mod import;
mod label_config;

use std::{io::Write, process::ExitCode};

use anyhow::{Context, ensure};
use label_studio_sdk::LabelConfig;

use self::{files::files_in, import::Import};
use crate::{
    predict::SOME_FAILED,
    project::{Progress, explained},
    terminal::line,
};

pub(crate) use args::InitProjectArgs;

impl InitProjectArgs {
    pub(crate) fn run(self, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
        let (name, text) = self.label_config()?;
        let label_config = LabelConfig::parse(&text)
            .with_context(|| format!("the label config of {name} cannot be read"))?;
        let problems = label_config.validate();
        ensure!(
            problems.is_empty(),
            "Label Studio would refuse the label config of {name}: {}",
            problems.join("; ")
        );
        let files = files_in(&self.files)?;
        let client = self.connection.client()?;
        let title = self.title.unwrap_or(name);
        let project = client
            .create_project(&title, &text)
            .map_err(explained)
            .context("Label Studio makes no project")?;
        let progress = Progress::new();
        progress.start(0, files.len() as u64);
        let mut import = Import::new(&client, &project, &label_config, &progress);
        let outcome = files.iter().try_for_each(|file| import.add(file));
        let outcome = outcome.and_then(|()| import.finish());
        progress.finish();
        let address = format!("{}projects/{}", client.url(), project.id);
        let counted = outcome.with_context(|| {
            format!(
                "project {} is at {address} and has not got all files",
                project.id
            )
        })?;
        let title = line(&title);
        writeln!(
            out,
            "made project {} {title:?}, tasks: {}, at {address}",
            project.id, counted.n_tasks
        )?;
        writeln!(
            out,
            "connect a backend: label-studio-ml connect --project {} --backend-url http://HOST:9090",
            project.id
        )?;
        Ok(ExitCode::from(if counted.n_failed > 0 {
            SOME_FAILED
        } else {
            0
        }))
    }
}
