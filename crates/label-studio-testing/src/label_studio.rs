//! A mock Label Studio: its API for one project, answered from a table that a test may change.

mod changing;
#[cfg(feature = "client")]
mod client;
#[cfg(feature = "model")]
mod project;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use serde_json::{Value, json};

use crate::{Answer, MockService, Received};

pub use changing::{Fault, MockProject, Table};
#[cfg(feature = "client")]
pub use client::client_options;

/// Status and body by method and path, as `GET /api/tasks`. A text is sent as it is, anything else as JSON.
pub type Routes = BTreeMap<String, (u16, Value)>;

/// Label Studio with project 1, over real HTTP.
///
/// ```
/// use label_studio_testing::MockLabelStudio;
/// use serde_json::json;
///
/// let tasks = json!([{ "id": 11, "data": { "text": "rain" }, "annotations": [] }]);
/// let label_studio = MockLabelStudio::start("<View><Text name='t' value='$text'/></View>", &tasks);
/// label_studio.answer("GET /api/webhooks", 403, json!({ "detail": "no" }));
/// assert!(label_studio.url("/api/tasks").starts_with("http://127.0.0.1:"));
/// ```
#[derive(Debug)]
pub struct MockLabelStudio {
    service: MockService,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    routes: Mutex<Routes>,
    /// Routes below this path need the header; others never do.
    guard: Mutex<Option<Guard>>,
    hold: Mutex<Option<Hold>>,
}

#[derive(Debug)]
struct Guard {
    path: String,
    authorization: String,
}

/// The mock's side of a request that is held.
#[derive(Debug)]
struct Hold {
    arrived: mpsc::Sender<()>,
    release: mpsc::Receiver<()>,
}

/// The next request, which the mock does not answer before the test allows it.
#[derive(Debug)]
pub struct HeldRequest {
    arrived: mpsc::Receiver<()>,
    release: mpsc::Sender<()>,
}

impl MockLabelStudio {
    /// Starts Label Studio with a project that has a label config and a list of tasks.
    pub fn start(label_config: &str, tasks: &Value) -> Self {
        let shared = Arc::new(Shared::default());
        let answering = Arc::clone(&shared);
        let service = MockService::start(move |request| answering.answer(request));
        let label_studio = Self { service, shared };
        let project = json!({ "id": 1, "title": "Moods", "label_config": label_config });
        let user = json!({ "id": 1, "email": "ann@ls.example" });
        for (route, body) in [
            ("GET /api/version", json!({ "release": "1.23.2" })),
            ("GET /api/current-user/whoami", user),
            (
                "GET /api/projects",
                json!({ "results": [project], "next": null }),
            ),
            ("GET /api/projects/1", project),
        ] {
            label_studio.answer(route, 200, body);
        }
        label_studio.set_tasks(tasks);
        label_studio
    }

    /// Answers a route with a status and a body from now on.
    pub fn answer(&self, route: &str, status: u16, body: Value) {
        self.routes().insert(route.to_owned(), (status, body));
    }

    /// Returns the routes, to be read or changed.
    pub fn routes(&self) -> MutexGuard<'_, Routes> {
        self.shared.routes()
    }

    /// Replaces the project's tasks.
    pub fn set_tasks(&self, tasks: &Value) {
        let n_tasks = tasks.as_array().map_or(0, Vec::len);
        let body = json!({ "tasks": tasks, "total": n_tasks });
        self.answer("GET /api/tasks", 200, body);
    }

    /// Answers 401 below `path` to requests without this `Authorization` header.
    pub fn require_authorization(&self, path: &str, authorization: &str) {
        *lock(&self.shared.guard) = Some(Guard {
            path: path.to_owned(),
            authorization: authorization.to_owned(),
        });
    }

    /// Holds the answer to the next request.
    pub fn hold_next(&self) -> HeldRequest {
        let (arrived, has_arrived) = mpsc::channel();
        let (release, is_released) = mpsc::channel();
        *lock(&self.shared.hold) = Some(Hold {
            arrived,
            release: is_released,
        });
        HeldRequest {
            arrived: has_arrived,
            release,
        }
    }

    /// Returns the address of a path that begins with `/`; of the server itself for an empty one.
    pub fn url(&self, path: &str) -> String {
        self.service.url(path)
    }

    /// Returns the mock HTTP service, which has the requests so far.
    pub fn service(&self) -> &MockService {
        &self.service
    }
}

impl HeldRequest {
    /// Waits until the request has arrived.
    ///
    /// # Panics
    /// When the mock has ended.
    pub fn wait(&self) {
        self.arrived.recv().expect("the mock runs");
    }

    /// Lets the mock answer the request.
    pub fn release(self) {
        // The mock may have ended.
        self.release.send(()).ok();
    }
}

impl Shared {
    fn answer(&self, request: &Received) -> Answer {
        let hold = lock(&self.hold).take();
        if let Some(hold) = hold {
            // A test that has ended waits for nothing and releases nothing.
            hold.arrived.send(()).ok();
            hold.release.recv().ok();
        }
        if let Some(guard) = &*lock(&self.guard)
            && request.path().starts_with(&guard.path)
            && request.authorization() != Some(&guard.authorization)
        {
            return Answer::json(&json!({ "detail": "credentials, please" })).with_status(401);
        }
        let not_found = || Answer::json(&json!({ "detail": "Not found." })).with_status(404);
        if request.path() == "/api/tasks" && request.query("project").as_deref() != Some("1") {
            return not_found();
        }
        let route = request.route();
        let routes = self.routes();
        match routes.get(route.trim_end_matches('/')) {
            Some((status, Value::String(body))) => Answer::new(*status, body.as_str()),
            Some((status, body)) => Answer::json(body).with_status(*status),
            None => not_found(),
        }
    }

    fn routes(&self) -> MutexGuard<'_, Routes> {
        lock(&self.routes)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
