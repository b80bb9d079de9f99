//! Mocks of a Docling service and of a server with documents, and the backend that asks them.

use std::sync::Mutex;

use docling::Docling;
use label_studio_ml::sdk::http::NetworkOptions;
use label_studio_ml::{
    Resources, ServerArgs, Value, json,
    sdk::{MediaFetcher, MediaOptions},
    serde_json,
    store::MemoryStore,
    testing::TestClient,
};
use label_studio_testing::{Answer, MockService, Received, flags};
use tempfile::TempDir;

pub(crate) struct Stage {
    pub(crate) client: TestClient,
    pub(crate) service: MockService,
    _cache: TempDir,
}

/// Answer of the mock at each step.
pub(crate) type Step = Box<dyn Fn(&Received) -> Option<Answer> + Send + Sync>;

pub(crate) fn document() -> Value {
    let vectors: Value = serde_json::from_str(include_str!("../vectors/docling.json")).unwrap();
    vectors["document"].clone()
}

impl Stage {
    /// A service that keeps documents in its answers; `step` may answer instead of it.
    pub(crate) fn start(
        more: &[&str],
        step: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let step = Mutex::new(Box::new(step) as Step);
        let service = MockService::start(move |request| {
            if let Some(answer) = (step.lock().unwrap())(request) {
                return answer;
            }
            match request.path() {
                "/files/doc.pdf" => Answer::bytes("application/pdf", "%PDF-1.4 a document"),
                "/t/v1/convert/file/async" | "/t/v1/convert/source/async" => Answer::json(
                    &json!({ "task_id": "job-1", "task_type": "convert", "task_status": "pending", "task_position": 1 }),
                ),
                "/t/v1/status/poll/job-1" => {
                    Answer::json(&json!({ "task_id": "job-1", "task_status": "success" }))
                }
                "/t/v1/result/job-1" => Answer::json(&in_body()),
                _ => Answer::status(404),
            }
        });
        let url = service.url("/t/v1/");
        let mut args = vec![
            "--docling-service-url",
            &url,
            "--docling-serve-api-key",
            "docling-key",
        ];
        args.extend(more);
        let options = flags::parse(&args);
        let cache = tempfile::tempdir().unwrap();
        let media = MediaOptions {
            allow_private_addresses: true,
            retries: 0,
            ..MediaOptions::new(cache.path())
        };
        let resources = Resources {
            media: Some(MediaFetcher::new(None, media).unwrap()),
            ..Resources::new(MemoryStore::default())
        };
        let client = TestClient::with_resources(
            Docling::load(options, NetworkOptions::default()).unwrap(),
            &ServerArgs::default(),
            resources,
        );
        Self {
            client,
            service,
            _cache: cache,
        }
    }

    pub(crate) fn body(&self) -> Value {
        let task = json!({ "id": 1, "data": { "image": self.service.url("/files/doc.pdf") } });
        json!({ "tasks": [task], "project": "1.1", "label_config": "<View></View>" })
    }

    /// Requests to the service, methods and paths.
    pub(crate) fn asked(&self) -> Vec<String> {
        let received = self.service.received();
        let asked = received
            .iter()
            .filter(|request| request.path().starts_with("/t/v1"));
        asked
            .map(|request| format!("{} {}", request.method, request.target))
            .collect()
    }
}

pub(crate) fn in_body() -> Value {
    json!({
        "document": { "filename": "doc.pdf", "md_content": "# Title", "json_content": document() },
        "status": "success", "errors": [], "processing_time": 1.0, "timings": {},
    })
}
