//! `label-studio-ml predict`: predicts a whole project of Label Studio, or files without Label Studio.

mod args;
mod files;
mod journal;
mod pass;
mod report;
mod run;
mod store;
mod watch;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::Write,
    process::ExitCode,
    time::Duration,
};

use self::{
    pass::{predict_project, write_summary},
    run::{Parties, RunSettings},
    watch::Watch,
};
use crate::{
    project::{Model, Patience, Progress, Target, TaskSource, stored_predictions},
    python::Python,
    terminal::line,
};

pub(crate) use args::PredictArgs;
pub(crate) use pass::SOME_FAILED;

/// Seconds to wait for a server that does not answer.
const DEFAULT_WAIT: u32 = 600;

impl PredictArgs {
    pub(crate) fn run(
        self,
        out: &mut dyn Write,
        python: Option<&dyn Python>,
    ) -> anyhow::Result<ExitCode> {
        // Wrong settings are reported before a backend is started.
        files::check(&self.files.files)?;
        let project = self
            .project
            .map(|project| {
                let settings = self.settings(project)?;
                let client = self.connection.client()?;
                Ok::<_, anyhow::Error>((client.project(project)?, client, settings))
            })
            .transpose()?;
        let opened = self.model.open(&self.connection, python)?;
        let progress = Progress::new();
        let default_wait = (!self.watch.watch).then_some(DEFAULT_WAIT);
        let wait = self.run.wait.or(default_wait);
        let patience = Patience {
            limit: wait.map(|seconds| Duration::from_secs(seconds.into())),
            progress: &progress,
        };
        let model = Model {
            backend: &opened.backend,
            patience: &patience,
            retries: self.run.retries,
            default_version: self.run.model_version.as_deref(),
        };
        let Some((info, client, settings)) = project else {
            return self
                .files
                .run(&model, self.run.batch_size.into(), &progress, out);
        };
        let parties = Parties {
            client: &client,
            model: &model,
            patience: &patience,
            progress: &progress,
        };
        if self.watch.watch {
            let watch = Watch {
                poll_every: Duration::from_secs_f64(self.watch.poll_every),
                train_every: self.watch.train_every.map(u64::from),
            };
            watch.run(parties, &settings, info, out)?;
            return Ok(ExitCode::SUCCESS);
        }
        let target = model.set_up(&info, client.url())?;
        if self.run.dry_run {
            let counted = count(parties, &settings, info.id, &target)?;
            writeln!(out, "{counted}")?;
            return Ok(ExitCode::SUCCESS);
        }
        let summary = predict_project(parties, &settings, &info, target, 0);
        progress.finish();
        let summary = summary?;
        write_summary(out, info.id, &summary)?;
        let n_failed = summary.counts.failed + summary.counts.refused;
        Ok(ExitCode::from(if n_failed > 0 { SOME_FAILED } else { 0 }))
    }

    fn settings(&self, project: i64) -> anyhow::Result<RunSettings> {
        let selection = self.selection.selection()?;
        let mut hasher = DefaultHasher::new();
        let kind = format!(
            "{} {selection:?} {}",
            self.connection.url(),
            self.run.replace
        );
        kind.hash(&mut hasher);
        let name = format!("predict-{project}-{:016x}.jsonl", hasher.finish());
        Ok(RunSettings {
            selection,
            batch_size: self.run.batch_size.into(),
            concurrency: self.run.concurrency.into(),
            store_size: self.run.store_size.into(),
            limit: self.selection.limit.unwrap_or(usize::MAX),
            replaces: self.run.replace,
            journal: self.run.state_dir.join(name),
            report: self.run.report.clone(),
        })
    }
}

/// Counts the tasks that would be predicted.
fn count(
    parties: Parties<'_>,
    settings: &RunSettings,
    project: i64,
    target: &Target,
) -> anyhow::Result<String> {
    let ids = settings
        .selection
        .ids(parties.client, project, parties.patience)?;
    let mut tasks = match ids {
        Some(ids) => TaskSource::of_ids(parties.client, project, ids),
        None => TaskSource::after(parties.client, project, 0),
    };
    let (mut n_tasks, mut n_missing) = (0_usize, 0_usize);
    while let Some(task) = tasks.next(parties.patience)? {
        n_tasks += 1;
        let has_one = stored_predictions(&task)
            .iter()
            .any(|prediction| prediction.is_of(&target.model_version));
        n_missing += usize::from(settings.replaces || !has_one);
    }
    let n_asked = n_missing.min(settings.limit);
    Ok(format!(
        "would predict {n_asked} of {n_tasks} tasks with model version {}",
        line(&target.model_version)
    ))
}
