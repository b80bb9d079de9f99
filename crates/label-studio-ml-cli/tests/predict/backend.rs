//! A backend that chooses a mood for each text.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use label_studio_testing::{Answer, MockService, Received};
use serde_json::{Value, json};

pub(crate) const LABEL_CONFIG: &str = r#"<View><Text name="text" value="$text"/>
  <Choices name="mood" toName="text"><Choice value="Happy"/><Choice value="Sad"/></Choices></View>"#;

/// A backend whose answers a test can change.
pub(crate) struct Backend {
    pub(crate) service: MockService,
    pub(crate) version: Arc<Mutex<String>>,
    /// Tasks that it was asked about.
    pub(crate) n_asked: Arc<AtomicUsize>,
}

/// Returns the prediction for a task: `Happy` with a score of 0.5, unless its text says otherwise.
pub(crate) fn prediction(task: &Value, label_config: &str) -> Value {
    let text = task["data"]["text"].as_str().unwrap_or_default();
    if text == "fault" {
        return json!({ "error": "the text cannot be read" });
    }
    let label = if label_config.contains("Glad") {
        "Glad"
    } else {
        "Happy"
    };
    let label = if text == "unknown" { "Angry" } else { label };
    let region = json!({
        "from_name": "mood", "to_name": "text", "type": "choices", "value": { "choices": [label] },
    });
    let score = if text == "refused" { 0.25 } else { 0.5 };
    json!({ "result": [region], "score": score })
}

impl Backend {
    pub(crate) fn start() -> Self {
        Self::with(|_| None)
    }

    /// Starts a backend that first asks a closure for the answer to a request.
    pub(crate) fn with(
        first: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let version = Arc::new(Mutex::new("v1".to_owned()));
        let n_asked = Arc::new(AtomicUsize::new(0));
        let (current, asked) = (Arc::clone(&version), Arc::clone(&n_asked));
        let service = MockService::start(move |request| {
            if let Some(answer) = first(request) {
                return answer;
            }
            let body = request.json();
            match request.path() {
                "/health" => Answer::json(&json!({ "status": "UP" })),
                "/setup" => Answer::json(&json!({ "model_version": *current.lock().unwrap() })),
                "/webhook" => {
                    // A training that ends at once.
                    "v2".clone_into(&mut current.lock().unwrap());
                    Answer::json(&json!({ "status": "ok", "job": "17" })).with_status(201)
                }
                "/jobs/17" => Answer::json(&json!({ "id": "17", "state": "done" })),
                "/predict" => {
                    let tasks = body["tasks"].as_array().cloned().unwrap_or_default();
                    asked.fetch_add(tasks.len(), Ordering::SeqCst);
                    let label_config = body["label_config"].as_str().unwrap_or_default();
                    let results = tasks.iter().map(|task| prediction(task, label_config));
                    Answer::json(&json!({ "results": results.collect::<Vec<_>>() }))
                }
                _ => Answer::status(404),
            }
        });
        Self {
            service,
            version,
            n_asked,
        }
    }

    pub(crate) fn n_asked(&self) -> usize {
        self.n_asked.load(Ordering::SeqCst)
    }
}
