//! Checks whether the backend answers.

use std::time::Duration;

use serde_json::Value;

use crate::doctor::{report::Finding, state::Doctor};

/// Time that Label Studio gives the health check.
const HEALTH_LIMIT: Duration = Duration::from_secs(1);

impl Doctor {
    pub(super) fn check_backend(&mut self) -> Finding {
        let url = self.backend.shown_url();
        if self.is_reachable && url == self.args.url().trim_end_matches('/') {
            return Finding::Failure(format!(
                "{url} is Label Studio itself; say where the backend is with --backend-url"
            ));
        }
        let reply = match self.backend.get("health") {
            Ok(reply) => reply,
            Err(error) => {
                return Finding::Failure(format!(
                    "cannot reach {url}: {error:#}; start it with `label-studio-ml start DIR`, or say where it is \
                     with --backend-url"
                ));
            }
        };
        if let Some(problem) = reply.problem(HEALTH_LIMIT) {
            return Finding::Failure(format!("{url} {problem}"));
        }
        let Some(health) = reply.body.as_object() else {
            return Finding::Failure(format!(
                "{url} is no ML backend: /health does not answer with a JSON object"
            ));
        };
        self.is_up = true;
        let model = health.get("model_class").and_then(Value::as_str);
        self.model_class = model.map(str::to_owned);
        let model = model.unwrap_or("a model");
        match self.backend.get("ready") {
            Ok(ready) if ready.status == 503 => Finding::Warning(format!(
                "{url} is up, but {model} is not ready: {}",
                ready.detail()
            )),
            _ => Finding::Fine(format!("{url} serves {model}")),
        }
    }
}
