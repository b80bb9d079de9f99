//! A mock Label Studio whose project changes as a client asks: tasks, predictions, tabs of the data manager, backends.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Map, Value, json};

use super::lock;
use crate::{Answer, MockService, Received};

/// Label Studio with project 1, over real HTTP, that keeps what it is sent.
///
/// ```
/// use label_studio_testing::MockProject;
/// use serde_json::json;
///
/// let project = MockProject::start("<View><Text name='t' value='$text'/></View>");
/// project.table().add_tasks((0..3).map(|idx| json!({ "text": format!("text {idx}") })));
/// assert_eq!(project.table().tasks.len(), 3);
/// ```
pub struct MockProject {
    service: MockService,
    shared: Arc<Shared>,
}

/// What a fault does to a request.
#[derive(Debug)]
pub enum Fault {
    /// The request is answered as usual.
    None,
    /// This is answered, and nothing else happens.
    Instead(Answer),
    /// The request takes effect, and this is answered.
    After(Answer),
}

/// The state of the project. A test may read and change it.
#[derive(Debug, Default)]
pub struct Table {
    /// Label config.
    pub label_config: String,
    /// Tasks by number, with their `annotations` and `predictions`.
    pub tasks: BTreeMap<i64, Value>,
    /// Tabs of the data manager.
    pub views: Vec<Value>,
    /// Connected backends.
    pub backends: Vec<Value>,
    /// Webhooks.
    pub webhooks: Vec<Value>,
    /// The `Authorization` that is accepted; any if `None`.
    pub authorization: Option<String>,
    /// Part of a prediction's JSON for which a whole request is refused.
    pub refused: Option<String>,
    last_id: i64,
}

type FaultOf = Box<dyn Fn(&Received) -> Fault + Send + Sync>;

#[derive(Default)]
struct Shared {
    table: Mutex<Table>,
    fault: Mutex<Option<Arc<FaultOf>>>,
}

impl MockProject {
    /// Starts Label Studio with a project that has no tasks.
    pub fn start(label_config: &str) -> Self {
        let shared = Arc::new(Shared::default());
        label_config.clone_into(&mut lock(&shared.table).label_config);
        let answering = Arc::clone(&shared);
        let service = MockService::start(move |request| answering.answer(request));
        Self { service, shared }
    }

    /// Returns the state, which no request changes meanwhile.
    pub fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.shared.table)
    }

    /// Asks a closure about each request from now on. It may wait; other requests are answered meanwhile.
    pub fn set_fault(&self, fault: impl Fn(&Received) -> Fault + Send + Sync + 'static) {
        *lock(&self.shared.fault) = Some(Arc::new(Box::new(fault)));
    }

    /// Answers all requests as usual again.
    pub fn clear_fault(&self) {
        *lock(&self.shared.fault) = None;
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

impl fmt::Debug for MockProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MockProject").field(&self.service).finish()
    }
}

impl Table {
    /// Adds tasks with this data.
    pub fn add_tasks(&mut self, data: impl IntoIterator<Item = Value>) {
        for data in data {
            let id = self.tasks.keys().next_back().map_or(1, |last| last + 1);
            let task = json!({ "id": id, "data": data, "annotations": [], "predictions": [] });
            self.tasks.insert(id, task);
        }
    }

    /// Adds an annotation to a task.
    ///
    /// # Panics
    /// When there is no such task.
    pub fn annotate(&mut self, task: i64, result: &Value) {
        let id = self.next_id();
        let task = self.tasks.get_mut(&task).expect("the task exists");
        let annotations = task["annotations"].as_array_mut();
        let annotations = annotations.expect("a task has annotations");
        annotations.push(json!({ "id": id, "result": result, "was_cancelled": false }));
    }

    /// Stores a prediction for a task.
    pub fn predict(&mut self, task: i64, mut prediction: Value) {
        prediction["id"] = self.next_id().into();
        if let Some(task) = self.tasks.get_mut(&task)
            && let Some(predictions) = task["predictions"].as_array_mut()
        {
            predictions.push(prediction);
        }
    }

    /// Returns the model versions of a task's predictions, in the order of storing.
    pub fn versions(&self, task: i64) -> Vec<&str> {
        let predictions = self.tasks.get(&task).map(|task| &task["predictions"]);
        let predictions = predictions.and_then(Value::as_array).into_iter().flatten();
        predictions
            .map(|prediction| prediction["model_version"].as_str().unwrap_or("null"))
            .collect()
    }

    fn next_id(&mut self) -> i64 {
        self.last_id += 1;
        self.last_id
    }

    fn answer(&mut self, request: &Received) -> Answer {
        if let Some(authorization) = &self.authorization
            && request.authorization() != Some(authorization)
        {
            return error(401, "Invalid token.");
        }
        let path = request.path().trim_end_matches('/');
        match (request.method.as_str(), path) {
            ("GET", "/api/version") => Answer::json(&json!({ "release": "1.23.2" })),
            ("GET", "/api/current-user/whoami") => {
                Answer::json(&json!({ "id": 1, "email": "ann@ls.example" }))
            }
            ("GET", "/api/projects/1") => Answer::json(&self.project()),
            ("GET", "/api/projects") => {
                Answer::json(&json!({ "results": [self.project()], "next": null }))
            }
            ("POST", "/api/projects") => {
                let label_config = request.json()["label_config"].as_str().map(str::to_owned);
                self.label_config = label_config.unwrap_or_default();
                Answer::json(&self.project()).with_status(201)
            }
            ("POST", "/api/projects/1/import") => {
                let tasks = request.json().as_array().cloned().unwrap_or_default();
                let n_tasks = tasks.len();
                self.add_tasks(tasks.into_iter().map(|task| task["data"].clone()));
                Answer::json(&json!({ "task_count": n_tasks })).with_status(201)
            }
            ("GET", "/api/tasks") => self.page(request),
            ("POST", "/api/projects/1/import/predictions") => self.import(&request.json()),
            ("GET", "/api/dm/views") => Answer::json(&json!(self.views)),
            ("GET", "/api/ml") => Answer::json(&json!(self.backends)),
            ("GET", "/api/webhooks") => Answer::json(&json!(self.webhooks)),
            (method, path) => self.change(method, path, &request.json()),
        }
    }

    fn change(&mut self, method: &str, path: &str, body: &Value) -> Answer {
        let (folder, id) = path.rsplit_once('/').unwrap_or((path, ""));
        let id: i64 = id.parse().unwrap_or_default();
        if (method, folder) == ("DELETE", "/api/predictions") {
            return self.delete_prediction(id);
        }
        if method == "POST" {
            let id = self.next_id();
            let Some(list) = self.list(path) else {
                return error(404, "Not found.");
            };
            let mut item = body.clone();
            item["id"] = id.into();
            if path == "/api/ml" {
                item["state"] = "CO".into();
            }
            list.push(item.clone());
            return Answer::json(&item).with_status(201);
        }
        let list = self.list(folder).map(|list| list.iter_mut());
        let found = list.and_then(|mut list| list.find(|item| item["id"] == id));
        match (method, found, body) {
            ("PATCH", Some(item), Value::Object(changes)) => {
                for (name, value) in changes {
                    item[name] = value.clone();
                }
                Answer::json(item)
            }
            _ => error(404, "Not found."),
        }
    }

    fn list(&mut self, path: &str) -> Option<&mut Vec<Value>> {
        match path {
            "/api/dm/views" => Some(&mut self.views),
            "/api/ml" => Some(&mut self.backends),
            "/api/webhooks" => Some(&mut self.webhooks),
            _ => None,
        }
    }

    fn project(&self) -> Value {
        let annotations = self.tasks.values().map(|task| &task["annotations"]);
        let n_annotations: usize = annotations
            .map(|annotations| annotations.as_array().map_or(0, Vec::len))
            .sum();
        json!({
            "id": 1, "title": "Moods", "label_config": self.label_config,
            "task_number": self.tasks.len(), "total_annotations_number": n_annotations,
        })
    }

    fn page(&self, request: &Received) -> Answer {
        if request.query("project").as_deref() != Some("1") {
            return error(404, "Not found.");
        }
        let number = |name: &str| request.query(name).and_then(|text| text.parse().ok());
        let query: Value = if let Some(id) = number("view") {
            let view = self.views.iter().find(|view| view["id"] == id);
            view.map(|view| view["data"].clone()).unwrap_or_default()
        } else {
            let query = request.query("query").unwrap_or_default();
            serde_json::from_str(&query).unwrap_or_default()
        };
        let chosen: Vec<_> = self
            .tasks
            .iter()
            .filter(|(id, _)| is_chosen(**id, &query))
            .collect();
        let (page, page_size) = (
            number("page").unwrap_or(1_usize),
            number("page_size").unwrap_or(100_usize),
        );
        let start = page.saturating_sub(1) * page_size;
        if start >= chosen.len() && page > 1 {
            return error(404, "Invalid page.");
        }
        let has_results = request.query("fields").as_deref() == Some("all");
        let tasks = chosen.iter().skip(start).take(page_size);
        let tasks: Vec<_> = tasks
            .map(|(_, task)| match task {
                Value::Object(task) if !has_results => {
                    let mut task: Map<_, _> = task.clone();
                    task.remove("annotations");
                    task.remove("predictions");
                    Value::Object(task)
                }
                task => Value::clone(task),
            })
            .collect();
        Answer::json(&json!({ "tasks": tasks, "total": chosen.len() }))
    }

    fn import(&mut self, predictions: &Value) -> Answer {
        let predictions = predictions.as_array().cloned().unwrap_or_default();
        for prediction in &predictions {
            let task = prediction["task"].as_i64().unwrap_or_default();
            if !self.tasks.contains_key(&task) {
                return error(400, &format!("task ID {task} not found in project"));
            }
            let is_refused = |part: &String| prediction.to_string().contains(part);
            if self.refused.as_ref().is_some_and(is_refused) {
                return error(400, "Prediction 0: the score is wrong");
            }
        }
        let n_created = predictions.len();
        for prediction in predictions {
            let task = prediction["task"].as_i64().unwrap_or_default();
            self.predict(task, prediction);
        }
        Answer::json(&json!({ "created": n_created })).with_status(201)
    }

    fn delete_prediction(&mut self, id: i64) -> Answer {
        for task in self.tasks.values_mut() {
            if let Some(predictions) = task["predictions"].as_array_mut() {
                let n_before = predictions.len();
                predictions.retain(|prediction| prediction["id"] != id);
                if predictions.len() < n_before {
                    return Answer::status(204);
                }
            }
        }
        error(404, "Not found.")
    }
}

impl Shared {
    fn answer(&self, request: &Received) -> Answer {
        let fault = lock(&self.fault).clone();
        let fault = fault.map_or(Fault::None, |fault| fault(request));
        if let Fault::Instead(answer) = fault {
            return answer;
        }
        let answer = lock(&self.table).answer(request);
        match fault {
            Fault::After(fault) => fault,
            _ => answer,
        }
    }
}

/// Returns whether the data manager's query selects a task, as far as it is about numbers of tasks.
fn is_chosen(id: i64, query: &Value) -> bool {
    let included = &query["selectedItems"]["included"];
    if query["selectedItems"]["all"] == false
        && !included
            .as_array()
            .is_some_and(|ids| ids.contains(&id.into()))
    {
        return false;
    }
    let Some(items) = query["filters"]["items"].as_array() else {
        return true;
    };
    let fits = |item: &Value| {
        let value = item["value"].as_i64().unwrap_or_default();
        match item["operator"].as_str() {
            Some("greater") => id > value,
            Some("less") => id < value,
            Some("equal") => id == value,
            _ => true,
        }
    };
    if query["filters"]["conjunction"] == "or" {
        items.iter().any(fits)
    } else {
        items.iter().all(fits)
    }
}

fn error(status: u16, detail: &str) -> Answer {
    Answer::json(&json!({ "detail": detail })).with_status(status)
}
