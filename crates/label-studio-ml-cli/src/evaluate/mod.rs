//! `label-studio-ml evaluate`: compares predictions with the annotations of a project.

mod args;
mod controls;
mod outcome;
mod page;
mod prepared;
mod samples;

use std::{fs, io::Write, process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use label_studio_sdk::LabelConfig;

use self::{
    args::Threshold,
    outcome::{Evaluation, VersionReport},
    samples::{Collected, collect},
};
use crate::{
    project::{Model, Patience, Progress, TaskSource},
    python::Python,
    terminal::{self, line},
};

pub(crate) use args::EvaluateArgs;

/// Exit code when a metric is not good enough.
const BELOW: u8 = 3;
/// Time to wait for a server that does not answer.
const PATIENCE: Duration = Duration::from_secs(600);

impl EvaluateArgs {
    pub(crate) fn run(
        self,
        out: &mut dyn Write,
        python: Option<&dyn Python>,
    ) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let info = client.project(self.project)?;
        let label_config = LabelConfig::parse(&info.label_config)?;
        let progress = Progress::new();
        let patience = Patience {
            limit: Some(PATIENCE),
            progress: &progress,
        };
        let opened = self
            .predict
            .then(|| self.model.open(&self.connection, python))
            .transpose()?;
        let model = opened.as_ref().map(|opened| Model {
            backend: &opened.backend,
            patience: &patience,
            retries: 1,
            default_version: None,
        });
        let ids = self
            .selection
            .selection()?
            .ids(&client, info.id, &patience)?;
        let mut tasks = match ids {
            Some(ids) => TaskSource::of_ids(&client, info.id, ids),
            None => TaskSource::after(&client, info.id, 0),
        };
        let limit = self.selection.limit.unwrap_or(usize::MAX);
        let mut next = || tasks.next(&patience);
        let collected = match &model {
            Some(model) => {
                let target = model.set_up(&info, client.url())?;
                collect(&mut next, limit, Some((model, &target)))?
            }
            None => collect(&mut next, limit, None)?,
        };
        ensure!(
            collected.n_annotated > 0,
            "no task of project {} has an annotation to compare with",
            info.id
        );
        let evaluation = self.evaluated(&collected, &label_config, info.id)?;
        for version in &evaluation.versions {
            write!(out, "{}", version.table())?;
        }
        if let Some(path) = &self.json {
            let json = format!("{:#}\n", evaluation.to_json());
            fs::write(path, json).with_context(|| format!("cannot write {}", path.display()))?;
        }
        if let Some(path) = &self.html {
            let shown = page::ShownTasks {
                client: &client,
                project: info.id,
                label_config: &label_config,
                patience: &patience,
            };
            let html = page::html(&evaluation, &collected, &shown)?;
            fs::write(path, html).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let newest = evaluation.versions.last();
        let is_below = newest.is_some_and(|version| self.is_below(version));
        Ok(ExitCode::from(if is_below { BELOW } else { 0 }))
    }

    fn evaluated(
        &self,
        collected: &Collected,
        label_config: &LabelConfig,
        project: i64,
    ) -> anyhow::Result<Evaluation> {
        let is_wanted = |version: &str| {
            self.model_version
                .as_ref()
                .is_none_or(|wanted| wanted == version)
        };
        let versions = collected
            .versions
            .iter()
            .filter(|version| is_wanted(&version.model_version));
        let versions: Vec<_> = versions
            .map(|version| VersionReport {
                model_version: version.model_version.clone(),
                n_tasks: version.pairs.len(),
                n_missing: collected.n_annotated - version.pairs.len(),
                controls: controls::reports(label_config, &version.pairs, self.samples),
            })
            .collect();
        let known = collected.versions.iter();
        let known: Vec<_> = known
            .map(|version| version.model_version.as_str())
            .collect();
        ensure!(
            !versions.is_empty(),
            "no annotated task has a prediction{}; predict the project first, or give --predict",
            match &self.model_version {
                Some(wanted) if !known.is_empty() =>
                    format!(" of model version {wanted} (but of {})", known.join(", ")),
                _ => String::new(),
            }
        );
        Ok(Evaluation { project, versions })
    }

    /// Says which thresholds a version misses; returns whether there is one.
    fn is_below(&self, version: &VersionReport) -> bool {
        let mut is_below = false;
        for threshold in &self.fail_under {
            let found = version.measures(threshold);
            if found.is_empty() {
                terminal::note(&format!("no control has a metric {threshold}"));
                is_below = true;
            }
            for (control, measure) in found {
                if measure.misses(threshold.value) {
                    is_below = true;
                    terminal::note(&format!(
                        "{} of {} is {:.4}, and {} is wanted",
                        measure.name,
                        line(control),
                        measure.interval.value,
                        threshold.value
                    ));
                }
            }
        }
        is_below
    }
}

impl VersionReport {
    /// Returns the measures that a threshold is about, with their controls.
    fn measures(&self, threshold: &Threshold) -> Vec<(&str, &outcome::Measure)> {
        let mut found = Vec::new();
        for control in &self.controls {
            for measure in &control.measures {
                let is_named = threshold.metric == measure.name
                    && threshold
                        .control
                        .as_ref()
                        .is_none_or(|name| *name == control.name);
                if is_named {
                    found.push((control.name.as_str(), measure));
                }
            }
        }
        found
    }
}
