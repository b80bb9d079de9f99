//! Checks whether the backend accepts the label config, and whether Label Studio can show its predictions.

use std::time::Duration;

use label_studio_sdk::LabelConfig;
use serde_json::{Value, json};

use crate::doctor::{report::Finding, state::Doctor};

/// Time that Label Studio gives a setup.
const SETUP_LIMIT: Duration = Duration::from_secs(3);
/// Time that Label Studio gives a prediction.
const PREDICT_LIMIT: Duration = Duration::from_secs(100);

impl Doctor {
    /// Sends the request that Label Studio sends when a user opens the project's settings.
    pub(super) fn check_setup(&mut self) -> Finding {
        if !self.is_up {
            return Finding::Skipped("needs a backend that answers");
        }
        let Some(project) = &self.project else {
            return Finding::Skipped("needs a project");
        };
        let known = self
            .connected
            .as_ref()
            .and_then(|backend| backend.extra.get("extra_params"));
        let body = json!({
            "project": project.id.to_string(),
            "schema": project.label_config,
            "hostname": self.args.url(),
            "access_token": null,
            "extra_params": known.unwrap_or(&Value::Null),
        });
        let reply = match self.backend.post("setup", &body) {
            Ok(reply) => reply,
            Err(error) => return Finding::Failure(format!("no answer to /setup: {error:#}")),
        };
        if let Some(problem) = reply.problem(SETUP_LIMIT) {
            return Finding::Failure(format!("/setup {problem}"));
        }
        match reply.body.get("model_version") {
            None | Some(Value::Null) => Finding::Failure(
                "/setup gives no model_version; without one Label Studio stores no predictions"
                    .to_owned(),
            ),
            Some(Value::String(version)) => Finding::Fine(format!("model version {version}")),
            Some(version) => Finding::Fine(format!("model version {version}")),
        }
    }

    /// Requests a prediction of one task, which Label Studio does not store.
    pub(super) fn check_prediction(&mut self) -> Finding {
        if !self.is_up {
            return Finding::Skipped("needs a backend that answers");
        }
        let (Some(project), Some(task), Some(label_config)) =
            (&self.project, &self.task, &self.label_config)
        else {
            return Finding::Skipped("needs a task and a label config");
        };
        let body = json!({
            "tasks": [task.to_value()],
            "project": project.id.to_string(),
            "label_config": project.label_config,
            "params": { "login": null, "password": null, "context": null },
        });
        let reply = match self.backend.post("predict", &body) {
            Ok(reply) => reply,
            Err(error) => return Finding::Failure(format!("no answer to /predict: {error:#}")),
        };
        if let Some(problem) = reply.problem(PREDICT_LIMIT) {
            return Finding::Failure(format!("/predict {problem}"));
        }
        check_results(&reply.body, label_config, self.advice_when_empty())
    }

    /// Returns the finding for a prediction without regions, which fits how the backend is used.
    fn advice_when_empty(&self) -> Finding {
        if self.answers_clicks {
            return Finding::Fine(
                "none without a click: the backend answers while users label, not in batches"
                    .to_owned(),
            );
        }
        let is_interactive = self
            .connected
            .as_ref()
            .is_some_and(|connected| connected.is_interactive);
        let advice = if is_interactive {
            "an interactive backend may need a click or a prompt: switch on Auto-Annotation while labelling, and submit an \
             annotation with a prompt if there is a text area for one"
        } else {
            "the model found nothing in this task; if it learns from annotations, submit some and press Start Training"
        };
        Finding::Warning(format!("the prediction is empty; {advice}"))
    }
}

/// Checks the answer to one task as Label Studio does.
fn check_results(body: &Value, label_config: &LabelConfig, empty: Finding) -> Finding {
    let Some(results) = body.get("results").and_then(Value::as_array) else {
        return Finding::Failure(
            "/predict gives no list of results, so Label Studio stores nothing".to_owned(),
        );
    };
    let predictions = match results.as_slice() {
        [] => return empty,
        [Value::Array(several)] => several.as_slice(),
        [_] => results.as_slice(),
        _ => {
            let n_results = results.len();
            return Finding::Failure(format!(
                "/predict gives {n_results} results for 1 task; Label Studio wants one per task and stores nothing"
            ));
        }
    };
    let problems: Vec<_> = predictions
        .iter()
        .filter_map(|prediction| problem(prediction, label_config))
        .collect();
    if !problems.is_empty() {
        return Finding::Failure(problems.join("; "));
    }
    let regions = predictions
        .iter()
        .filter_map(|prediction| prediction["result"].as_array());
    match regions.map(Vec::len).sum() {
        0_usize => empty,
        n_regions => Finding::Fine(format!("regions that fit the label config: {n_regions}")),
    }
}

fn problem(prediction: &Value, label_config: &LabelConfig) -> Option<String> {
    if let Some(error) = prediction.get("error") {
        return Some(format!("the task could not be predicted: {error}"));
    }
    if !prediction["result"].is_array() {
        return Some(
            "the prediction has no list called result, so Label Studio skips or refuses it"
                .to_owned(),
        );
    }
    if prediction.get("model_version").is_some_and(Value::is_null) {
        return Some(
            "the model_version is null, so Label Studio refuses the whole batch".to_owned(),
        );
    }
    let problems = label_config.validate_prediction(prediction);
    (!problems.is_empty()).then(|| problems.join("; "))
}
