//! The trait that a backend author implements.

use label_studio_sdk::Task;
use serde_json::{Map, Value};

use crate::{
    custom_route::{CustomReply, CustomRequest},
    predictions::Predictions,
    project::Project,
};

/// A model that Label Studio can ask for predictions and send annotation events to.
///
/// Methods block and take a shared `&self`: the server gives each call a thread of its own. Weights are loaded before
/// the model exists (in the closure given to `serve`), what training replaces lives behind a lock, and small facts
/// that must outlive the process go into the [`Project`].
pub trait Model: Send + Sync + 'static {
    /// Prepares `project`. Runs when a project is first seen or its label config changes, not on every request.
    fn setup(&self, _project: &Project) -> anyhow::Result<()> {
        Ok(())
    }

    /// Predicts labels. Answer with one prediction per task, in order, or with none at all.
    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions>;

    /// Learns from an annotation event; the value is the job's result. Models that do not train keep this default.
    fn fit(&self, _project: &Project, _event: &Event) -> anyhow::Result<Value> {
        Ok(Value::Null)
    }

    /// Paths that the model serves itself, such as `/data/upload`, besides the routes of every backend. None by default.
    fn custom_routes(&self) -> &[&str] {
        &[]
    }

    /// Answers a request for one of [`Model::custom_routes`]. The server has checked the caller's credentials. The call gets
    /// a thread like a prediction, and runs to its end even if the client disconnects.
    fn answer_custom_route(&self, request: &CustomRequest) -> anyhow::Result<CustomReply> {
        anyhow::bail!("{} is not answered", request.path)
    }

    /// Tells whether predictions must be made one at a time, as when they share one accelerator's memory. The server
    /// then queues them whatever `THREADS` says; by default it does not.
    fn is_exclusive(&self) -> bool {
        false
    }

    /// Name shown by the health check; the type's name by default.
    fn name(&self) -> &str {
        short_type_name::<Self>()
    }
}

/// What Label Studio wants predicted.
#[derive(Debug, Clone, Default)]
pub struct PredictRequest {
    /// Tasks to predict, in the order of the answer.
    pub tasks: Vec<Task>,
    /// What the annotator just drew or typed; `None` for a batch. Usually `{"result": [regions]}`.
    pub context: Option<Value>,
    /// Everything else that Label Studio sends along, such as `login` and `password`.
    pub params: Map<String, Value>,
}

impl PredictRequest {
    /// Creates a batch request without context.
    pub fn new(tasks: Vec<Task>) -> Self {
        Self {
            tasks,
            ..Self::default()
        }
    }

    /// Returns the regions that the annotator just drew, empty for a batch.
    pub fn context_regions(&self) -> &[Value] {
        let result = self
            .context
            .as_ref()
            .and_then(|context| context.get("result"));
        result.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// Tells whether an annotator is waiting for the answer. An empty context is none, as in Python.
    pub fn is_interactive(&self) -> bool {
        match &self.context {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Object(fields)) => !fields.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            Some(Value::Bool(true)) => true,
        }
    }
}

/// Something that happened to a project's annotations, or a request to train.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened.
    pub action: Action,
    /// The body that Label Studio sent, without `action`: `project`, and for annotation events `task` and
    /// `annotation` (`annotations` for deletions).
    pub payload: Value,
}

impl Event {
    /// Returns the regions of the annotation that was created or changed, empty for other events.
    pub fn annotation_regions(&self) -> &[Value] {
        let result = self.payload.pointer("/annotation/result");
        result.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// What happened to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// An annotation was submitted; skipping a task counts.
    AnnotationCreated,
    /// An annotation was changed.
    AnnotationUpdated,
    /// Annotations were deleted.
    AnnotationDeleted,
    /// Somebody pressed “Start training”.
    StartTraining,
}

impl Action {
    /// Reads the name that Label Studio uses on the wire; other events are `None`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "ANNOTATION_CREATED" => Self::AnnotationCreated,
            "ANNOTATION_UPDATED" => Self::AnnotationUpdated,
            // Label Studio sends the plural; the Python SDK names the singular.
            "ANNOTATION_DELETED" | "ANNOTATIONS_DELETED" => Self::AnnotationDeleted,
            "START_TRAINING" => Self::StartTraining,
            _ => return None,
        })
    }

    /// Returns the name by which models know the event.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AnnotationCreated => "ANNOTATION_CREATED",
            Self::AnnotationUpdated => "ANNOTATION_UPDATED",
            Self::AnnotationDeleted => "ANNOTATION_DELETED",
            Self::StartTraining => "START_TRAINING",
        }
    }
}

/// Returns the last part of a type's path, without generic arguments.
pub(crate) fn short_type_name<T: ?Sized>() -> &'static str {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}
