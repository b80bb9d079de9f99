//! `--watch`: goes on as tasks and annotations arrive. All connections are made from here.

use std::{io::Write, thread, time::Duration};

use anyhow::Context;
use label_studio_sdk::client::{ProjectInfo, TaskQuery};
use serde_json::{Value, json};
use ureq::http::Method;

use super::{
    pass::{predict_project, write_summary},
    run::{Parties, RunSettings},
};
use crate::{project::Target, terminal::line};

/// How a project is watched.
pub(super) struct Watch {
    pub(super) poll_every: Duration,
    /// New annotations after which a training is started.
    pub(super) train_every: Option<u64>,
}

impl Watch {
    /// Predicts what there is and what arrives. Ends only with an error.
    pub(super) fn run(
        &self,
        parties: Parties<'_>,
        settings: &RunSettings,
        info: ProjectInfo,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let mut info = info;
        let mut target = parties.model.set_up(&info, parties.client.url())?;
        let mut n_trained_on = n_annotations(&info);
        let (mut after, mut is_new) = (0, true);
        parties.progress.note(&format!(
            "watching project {}, model version {}; stop with Ctrl-C",
            info.id,
            line(&target.model_version)
        ));
        loop {
            if is_new || has_tasks(parties, info.id, after)? {
                let summary = predict_project(parties, settings, &info, target, after)?;
                parties.progress.finish();
                if summary.counts.asked() > 0 {
                    write_summary(out, info.id, &summary)?;
                    out.flush()?;
                }
                after = summary.through;
                target = Target::clone(&summary.target);
            }
            thread::sleep(self.poll_every);
            info = parties.patience.ask(|| parties.client.project(info.id))?;
            let n_now = n_annotations(&info);
            let is_due = |n: u64| n_now >= n_trained_on.saturating_add(n);
            if self.train_every.is_some_and(is_due) {
                let n_fresh = n_now - n_trained_on;
                n_trained_on = n_now;
                self.train(parties, &info, n_fresh)?;
            }
            // Annotations that were deleted count again when they are made anew.
            n_trained_on = n_trained_on.min(n_now);
            let now = parties.model.set_up(&info, parties.client.url())?;
            is_new = now.model_version != target.model_version;
            if is_new {
                after = 0;
                parties.progress.note(&format!(
                    "model version {} instead of {}: predicting with it",
                    line(&now.model_version),
                    line(&target.model_version)
                ));
            }
            target = now;
        }
    }

    /// Sends the event that Label Studio's button sends, and waits for the training. One that fails is told only.
    fn train(&self, parties: Parties<'_>, info: &ProjectInfo, n_new: u64) -> anyhow::Result<()> {
        let progress = parties.progress;
        progress.note(&format!("new annotations: {n_new}; training"));
        let project = serde_json::to_value(info).context("the project cannot be sent")?;
        let event = json!({ "action": "START_TRAINING", "project": project });
        let reply = match parties.model.send("webhook", &event)? {
            Ok(reply) => reply,
            Err(reason) => {
                progress.note(&format!(
                    "the training cannot be started: {}",
                    line(&reason)
                ));
                return Ok(());
            }
        };
        let job = match &reply.body["job"] {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return Ok(()),
        };
        loop {
            let backend = parties.model.backend;
            let shown = match backend.json(Method::GET, &["jobs", &job], &[]) {
                Ok(shown) => shown,
                Err(error) => {
                    progress.note(&format!("training {job} cannot be followed: {error:#}"));
                    return Ok(());
                }
            };
            match shown["state"].as_str() {
                Some("pending" | "running") => thread::sleep(self.poll_every),
                Some("done") => return Ok(()),
                state => {
                    let reason = shown["error"].as_str().or(state).unwrap_or("unknown");
                    progress.note(&format!("training {job} gave no model: {}", line(reason)));
                    return Ok(());
                }
            }
        }
    }
}

/// Returns whether there are tasks whose number is above `after`.
fn has_tasks(parties: Parties<'_>, project: i64, after: i64) -> anyhow::Result<bool> {
    let query = TaskQuery {
        page_size: 1,
        has_results: false,
        ..TaskQuery::after(project, after)
    };
    let page = parties.patience.ask(|| parties.client.task_page(&query))?;
    Ok(page
        .tasks
        .iter()
        .any(|task| task.id.is_some_and(|id| id > after)))
}

/// Returns how many annotations a project has.
fn n_annotations(info: &ProjectInfo) -> u64 {
    let number = |name| info.extra.get(name).and_then(Value::as_u64);
    number("total_annotations_number")
        .or_else(|| number("num_tasks_with_annotations"))
        .unwrap_or_default()
}
