//! The whole server without a socket, for tests of a model.

use std::{sync::Arc, thread};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{Request, Response},
};
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::{
    model::{Model, short_type_name},
    raw::model::RawModel,
    resources::Resources,
    server::{backend::Backend, http::app, settings::args::ServerArgs},
    store::MemoryStore,
};

/// Calls a model through the whole server without a socket.
///
/// ```
/// use label_studio_ml::{FnModel, json, testing::TestClient};
///
/// let client = TestClient::new(FnModel::new("Silent"));
/// assert_eq!(client.predict(&json!({ "tasks": [] })), json!({ "results": [] }));
/// assert_eq!(client.get("/health").1["model_class"], "Silent");
/// ```
pub struct TestClient {
    router: Router,
    runtime: Option<Runtime>,
    raw: Option<Arc<dyn RawModel>>,
}

impl TestClient {
    /// Serves `model` with a store in memory and without Label Studio.
    pub fn new<M: Model>(model: M) -> Self {
        Self::with_resources(
            model,
            &ServerArgs::default(),
            Resources::new(MemoryStore::default()),
        )
    }

    /// Serves `model` with the given flags and resources.
    pub fn with_resources<M: Model>(model: M, args: &ServerArgs, resources: Resources) -> Self {
        let runtime = runtime();
        let backend = Arc::new(Backend::new(args, short_type_name::<M>(), resources));
        // A loader that hands over a model cannot fail.
        let _ = backend.served.slot.load(move || Ok(model));
        Self::of(backend, runtime)
    }

    /// Serves the model that `load` makes, in the background.
    pub fn with_loader<M: Model>(
        load: impl FnOnce() -> anyhow::Result<M> + Send + 'static,
        resources: Resources,
    ) -> Self {
        let runtime = runtime();
        let args = ServerArgs::default();
        let backend = Arc::new(Backend::new(&args, short_type_name::<M>(), resources));
        let slot = Arc::clone(&backend.served.slot);
        thread::spawn(move || slot.load(load).is_ok());
        Self::of(backend, runtime)
    }

    /// Serves a raw model; `start` is called within the server's runtime.
    pub fn with_raw<M: RawModel>(
        start: impl FnOnce() -> Arc<M>,
        args: &ServerArgs,
        resources: Resources,
    ) -> Self {
        let runtime = runtime();
        let model = {
            let _within = runtime.enter();
            start()
        };
        let backend = Arc::new(Backend::of_raw(args, model, resources));
        Self::of(backend, runtime)
    }

    fn of(backend: Arc<Backend>, runtime: Runtime) -> Self {
        Self {
            raw: backend.served.raw.clone(),
            router: app::router(backend),
            runtime: Some(runtime),
        }
    }

    /// Posts to `/predict` and returns the answer.
    ///
    /// # Panics
    /// When the answer's status is not 200.
    pub fn predict(&self, body: &Value) -> Value {
        let (status, answer) = self.post("/predict", body);
        assert_eq!(status, 200, "/predict answered {answer}");
        answer
    }

    /// Posts JSON and returns the answer's status and JSON.
    pub fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.send(
            "POST",
            path,
            &[("content-type", "application/json")],
            body.to_string(),
        )
    }

    /// Gets a path and returns the answer's status and JSON; null when the answer is not JSON.
    pub fn get(&self, path: &str) -> (u16, Value) {
        self.send("GET", path, &[], Body::empty())
    }

    /// Sends any request and returns the answer's status and JSON; null when the answer is not
    /// JSON.
    ///
    /// # Panics
    /// When the method, the path or a header cannot be sent.
    pub fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (u16, Value) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(body.into())
            .expect("method, path and headers are well-formed");
        let answer = self.answer(request);
        let json = serde_json::from_slice(answer.body()).unwrap_or_default();
        (answer.status().as_u16(), json)
    }

    /// Gets a path and returns the answer as it is, for a page or a header.
    ///
    /// # Panics
    /// When the path is none.
    pub fn page(&self, path: &str) -> Response<Bytes> {
        self.page_with(path, &[])
    }

    /// Like [`TestClient::page`], with headers.
    ///
    /// # Panics
    /// When the path or a header cannot be sent.
    pub fn page_with(&self, path: &str, headers: &[(&str, &str)]) -> Response<Bytes> {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty());
        self.answer(request.expect("path and headers are well-formed"))
    }

    fn answer(&self, request: Request<Body>) -> Response<Bytes> {
        let call = async {
            let Ok(response) = self.router.clone().oneshot(request).await;
            let (head, body) = response.into_parts();
            let body = body.collect().await.expect("the answer is in memory");
            Response::from_parts(head, body.to_bytes())
        };
        self.runtime
            .as_ref()
            .expect("the runtime lives as long as the client")
            .block_on(call)
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a test machine can start a thread")
}

impl Drop for TestClient {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Threads and processes of the model must not outlive the test.
            if let Some(raw) = self.raw.take() {
                runtime.block_on(raw.stop());
            }
            // A running call must not delay the end of the test.
            runtime.shutdown_background();
        }
    }
}
