//! The backend as a command asks it: set up for a label config, then asked batch by batch.

use std::{io, slice};

use anyhow::{Context, bail};
use label_studio_sdk::{LabelConfig, Prediction, Task, client::ProjectInfo};
use serde_json::{Value, json};

use super::Patience;
use crate::backend::{Backend, Reply};

/// What a backend is asked about: a project's label config, and the model version that it has for it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Key of the project, or a name of one that Label Studio does not know.
    pub(crate) project: String,
    pub(crate) label_config: LabelConfig,
    pub(crate) model_version: String,
}

/// What came of asking about one task.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// At least one prediction.
    Predicted(Vec<Prediction>),
    /// The backend has none for the task.
    Nothing,
    Failed(Failure),
}

/// Why a task has no prediction.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    pub(crate) reason: String,
    /// Whether another attempt may succeed.
    may_pass: bool,
}

/// The backend, asked with patience.
pub(crate) struct Model<'a> {
    pub(crate) backend: &'a Backend,
    pub(crate) patience: &'a Patience<'a>,
    /// Further attempts for a task that fails.
    pub(crate) retries: u32,
    /// Version of predictions where the backend gives none.
    pub(crate) default_version: Option<&'a str>,
}

impl Model<'_> {
    /// Sets the backend up for a project, as Label Studio does, and returns what it may be asked about.
    pub(crate) fn set_up(&self, project: &ProjectInfo, hostname: &str) -> anyhow::Result<Target> {
        self.set_up_with(
            &project.id.to_string(),
            &project.label_config,
            Some(hostname),
        )
    }

    /// Sets the backend up for a label config.
    pub(crate) fn set_up_with(
        &self,
        project: &str,
        label_config: &str,
        hostname: Option<&str>,
    ) -> anyhow::Result<Target> {
        let parsed = LabelConfig::parse(label_config)?;
        let body = json!({
            "project": project,
            "schema": label_config,
            "hostname": hostname,
            "access_token": null,
            "extra_params": null,
        });
        let reply = self.send("setup", &body)?;
        let reply = match reply {
            Ok(reply) => reply,
            Err(failure) => bail!("the backend cannot be set up: {failure}"),
        };
        let version = match &reply.body["model_version"] {
            Value::Null => None,
            Value::String(version) => Some(version.clone()),
            version => Some(version.to_string()),
        };
        let version = version
            .filter(|version| !version.is_empty())
            .or_else(|| self.default_version.map(str::to_owned));
        Ok(Target {
            project: project.to_owned(),
            label_config: parsed,
            model_version: version.context(
                "the backend gives no model version, so its predictions cannot be told from others; \
                 name one with --model-version",
            )?,
        })
    }

    /// Asks for predictions of tasks. A batch that fails is asked for task by task, and tasks that fail are tried again.
    ///
    /// # Errors
    /// When the backend cannot be asked at all.
    pub(crate) fn predict(&self, tasks: &[Task], target: &Target) -> anyhow::Result<Vec<Outcome>> {
        let mut outcomes = match self.ask(tasks, target)? {
            Ok(outcomes) => outcomes,
            Err(reason) if tasks.len() == 1 => vec![failed(reason)],
            Err(_) => {
                let alone = |task| Ok(self.ask_alone(task, target)?.unwrap_or_else(failed));
                tasks
                    .iter()
                    .map(alone)
                    .collect::<anyhow::Result<Vec<_>>>()?
            }
        };
        for (task, outcome) in tasks.iter().zip(&mut outcomes) {
            for _ in 0..self.retries {
                if !matches!(outcome, Outcome::Failed(failure) if failure.may_pass) {
                    break;
                }
                *outcome = self.ask_alone(task, target)?.unwrap_or_else(failed);
            }
        }
        Ok(outcomes)
    }

    fn ask_alone(&self, task: &Task, target: &Target) -> anyhow::Result<Result<Outcome, String>> {
        let outcomes = self.ask(slice::from_ref(task), target)?;
        Ok(outcomes.map(|outcomes| outcomes.into_iter().next().unwrap_or(Outcome::Nothing)))
    }

    /// Sends one request. The inner error is the reason for which these tasks have no predictions.
    fn ask(&self, tasks: &[Task], target: &Target) -> anyhow::Result<Result<Vec<Outcome>, String>> {
        let body = json!({
            "tasks": tasks.iter().map(Task::to_value).collect::<Vec<_>>(),
            "project": target.project,
            "label_config": target.label_config.text(),
            "params": { "login": null, "password": null, "context": null },
        });
        let reply = match self.send("predict", &body)? {
            Ok(reply) => reply,
            Err(reason) => return Ok(Err(reason)),
        };
        let Some(results) = reply.body["results"].as_array() else {
            return Ok(Err("the backend gives no list of results".to_owned()));
        };
        if results.is_empty() {
            return Ok(Ok(vec![Outcome::Nothing; tasks.len()]));
        }
        if results.len() != tasks.len() {
            return Ok(Err(format!(
                "the backend gives {} results for {} tasks",
                results.len(),
                tasks.len()
            )));
        }
        let outcomes = tasks.iter().zip(results);
        Ok(Ok(outcomes
            .map(|(task, result)| outcome(task, result, target))
            .collect()))
    }

    /// Posts a request, and waits for a backend that is down or busy. The inner error is the reason of a refusal.
    pub(crate) fn send(&self, path: &str, body: &Value) -> anyhow::Result<Result<Reply, String>> {
        let shown = self.backend.shown_url();
        let mut wait = self.patience.start();
        loop {
            match self.backend.post(path, body) {
                Ok(reply) => match reply.status {
                    200..300 => return Ok(Ok(reply)),
                    401 | 403 => bail!(
                        "{shown} refuses the credentials; set --basic-auth-user and --basic-auth-pass"
                    ),
                    404 | 405 => bail!("{shown} has no /{path}; is it an ML backend?"),
                    429 | 502 | 503 => {
                        let error =
                            anyhow::anyhow!("{shown} answers {}: {}", reply.status, reply.detail());
                        wait.pause("the backend is busy or not ready", error, reply.retry_after)?;
                    }
                    status => return Ok(Err(format!("answer {status}: {}", reply.detail()))),
                },
                Err(error) => {
                    let is_refused = is_refused(&error);
                    let is_up = || {
                        let health = self.backend.get("health");
                        health.is_ok_and(|reply| reply.status < 500)
                    };
                    while !is_up() {
                        let error = anyhow::anyhow!("{shown}: {error:#}");
                        wait.pause("the backend does not answer", error, None)?;
                    }
                    // A task may have ended the backend, so a request that was sent is not repeated as it is.
                    if !is_refused {
                        return Ok(Err(format!("no answer: {error:#}")));
                    }
                }
            }
        }
    }
}

/// Returns whether a request was not even sent.
fn is_refused(error: &anyhow::Error) -> bool {
    match error.downcast_ref() {
        Some(ureq::Error::ConnectionFailed) => true,
        Some(ureq::Error::Io(error)) => error.kind() == io::ErrorKind::ConnectionRefused,
        _ => false,
    }
}

fn failed(reason: String) -> Outcome {
    Outcome::Failed(Failure {
        reason,
        may_pass: true,
    })
}

/// Reads the entry of a task: a prediction, a list of them, or an error.
fn outcome(task: &Task, result: &Value, target: &Target) -> Outcome {
    let entries = match result {
        Value::Array(entries) => entries.as_slice(),
        Value::Null => &[],
        entry => slice::from_ref(entry),
    };
    let mut predictions = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Some(error) = entry.get("error") {
            let text = error
                .as_str()
                .map_or_else(|| error.to_string(), str::to_owned);
            return failed(text);
        }
        match prediction(task, entry, target) {
            Ok(prediction) => predictions.push(prediction),
            Err(reason) => {
                return Outcome::Failed(Failure {
                    reason,
                    may_pass: false,
                });
            }
        }
    }
    if predictions.is_empty() {
        Outcome::Nothing
    } else {
        Outcome::Predicted(predictions)
    }
}

/// Reads a prediction and checks that Label Studio will take it.
fn prediction(task: &Task, entry: &Value, target: &Target) -> Result<Prediction, String> {
    if !entry["result"].is_array() {
        return Err("the prediction has no list called result".to_owned());
    }
    check_fits(task, entry, &target.label_config)?;
    let mut entry = entry.clone();
    if let Some(version) = entry.get_mut("model_version")
        && version.is_number()
    {
        *version = version.to_string().into();
    }
    let mut prediction: Prediction = serde_json::from_value(entry)
        .map_err(|error| format!("the prediction cannot be read: {error}"))?;
    let version = prediction
        .model_version
        .take()
        .filter(|version| !version.is_empty());
    prediction.model_version = Some(version.unwrap_or_else(|| target.model_version.clone()));
    Ok(prediction)
}

/// Checks a prediction of a task against a label config.
pub(crate) fn check_fits(
    task: &Task,
    prediction: &Value,
    label_config: &LabelConfig,
) -> Result<(), String> {
    // How often a Repeater repeats its tags depends on the task.
    let label_config = label_config
        .for_task(&task.data)
        .map_err(|error| format!("the label config does not fit the task: {error}"))?;
    let problems = label_config.validate_prediction(prediction);
    if problems.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the prediction does not fit the label config: {}",
        problems.join("; ")
    ))
}
