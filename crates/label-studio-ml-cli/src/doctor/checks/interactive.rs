//! Checks whether clicks reach the backend, and what it answers to one.

use std::time::Duration;

use label_studio_sdk::Control;
use serde_json::{Value, json};

use crate::doctor::{
    click::{Click, is_smart},
    fix::Fix,
    report::{Finding, chain},
    state::Doctor,
};

/// Time that Label Studio gives a prediction.
const PREDICT_LIMIT: Duration = Duration::from_secs(100);
/// Controls that are tools for images: without `smart` their regions reach no backend.
const IMAGE_TOOLS: [&str; 4] = ["keypoint", "keypointlabels", "rectangle", "rectanglelabels"];

impl Doctor {
    /// Checks the switch for interactive preannotations, and sends a click as Label Studio's screen does.
    pub(super) fn check_interactive(&mut self) -> Finding {
        let (Some(project), Some(task), Some(label_config)) =
            (&self.project, &self.task, &self.label_config)
        else {
            return Finding::Skipped("needs a task and a label config");
        };
        let named = |wanted: &dyn Fn(&Control) -> bool| {
            let controls = label_config.controls().iter();
            let names = controls.filter(|control| wanted(control));
            let names: Vec<_> = names
                .map(|control| format!("<{}> {:?}", control.tag, control.name))
                .collect();
            names.join(", ")
        };
        let smart = named(&is_smart);
        let is_on = match self.reload_connected() {
            Ok(Some(connected)) if !smart.is_empty() && !connected.is_interactive => {
                return Finding::Fixable {
                    fault: format!(
                        "the label config has smart tags ({smart}), but interactive preannotations are off for the \
                         backend, so they call no backend; switch them on in the project's settings, under Model"
                    ),
                    fix: Fix::UpdateBackend {
                        changes: self.with_credentials([("is_interactive", json!(true))]),
                        backend: Box::new(connected),
                    },
                };
            }
            Ok(Some(connected)) => connected.is_interactive,
            Ok(None) => !smart.is_empty(),
            Err(error) => return Finding::Failure(chain(error)),
        };
        if !is_on {
            return Finding::Skipped("interactive preannotations are off, and no tag is smart");
        }
        if !self.is_up {
            return Finding::Skipped("needs a backend that answers");
        }
        let Some(click) = Click::of(label_config, task) else {
            let tools = named(&|control| IMAGE_TOOLS.contains(&control.kind().as_str()));
            if smart.is_empty() && !tools.is_empty() {
                return Finding::Warning(format!(
                    "interactive preannotations are on, but no tag is smart: with smart=\"true\" or smartOnly=\"true\" \
                     {tools} would call the backend"
                ));
            }
            return Finding::Skipped(
                "has no tag to try a click with; prompts are not tried, they may cost money",
            );
        };
        let body = json!({
            "tasks": [task.to_value()],
            "project": project.id.to_string(),
            "label_config": project.label_config,
            "params": { "login": null, "password": null, "context": click.context },
        });
        let reply = match self.backend.post("predict", &body) {
            Ok(reply) => reply,
            Err(error) => return Finding::Failure(format!("no answer to a click: {error:#}")),
        };
        if let Some(problem) = reply.problem(PREDICT_LIMIT) {
            return Finding::Failure(format!("a click: the backend {problem}"));
        }
        let prediction = &reply.body["results"][0];
        let Some(regions) = prediction.get("result").and_then(Value::as_array) else {
            return Finding::Warning(format!(
                "the backend answers {} with no region list, so nothing appears; a backend that is not interactive is \
                 to be connected without interactive preannotations",
                click.description
            ));
        };
        let problems = label_config.validate_prediction(prediction);
        if !problems.is_empty() {
            return Finding::Failure(format!(
                "the answer to {}: {}",
                click.description,
                problems.join("; ")
            ));
        }
        let n_regions = regions.len();
        if n_regions == 0 {
            return Finding::Warning(format!(
                "the backend suggests no region for {}",
                click.description
            ));
        }
        self.answers_clicks = true;
        Finding::Fine(format!("regions for {}: {n_regions}", click.description))
    }
}
