//! The trait of a model.

use label_studio_sdk::{LabelConfig, Task};
use serde_json::{Map, Value};

use crate::{
    batching::Batching,
    custom_route::{CustomReply, CustomRequest},
    manifest,
    predictions::Predictions,
    project::Project,
};

/// A model that Label Studio can ask for predictions and send annotation events to.
///
/// Methods block and take a shared `&self`: the server runs each call on a blocking thread. Weights
/// are loaded in the closure given to `serve`, what training replaces lives behind a lock, and
/// small values that must outlive the process go into the [`Project`].
pub trait Model: Send + Sync + 'static {
    /// Prepares `project`. Runs when a project is first seen or its label config changes, not on
    /// every request.
    fn setup(&self, _project: &Project) -> anyhow::Result<()> {
        Ok(())
    }

    /// Checks whether the model can label with this label config. `/setup` answers an error with 422
    /// and this reason, which Label Studio shows to the user who connects the backend.
    ///
    /// By default one of the `controls` in the backend's [`manifest`](Model::manifest) must be on one
    /// of its `objects`. Not called for a label config without control tags, as new projects have.
    fn check(&self, label_config: &LabelConfig) -> anyhow::Result<()> {
        match self.manifest() {
            Some(manifest) => manifest::check(manifest, label_config),
            None => Ok(()),
        }
    }

    /// Returns the manifest of the backend's crate, whose `[package.metadata.backend]` lists the
    /// `controls` and `objects` that it labels: `Some(label_studio_ml::manifest!())`. None by default.
    fn manifest(&self) -> Option<&str> {
        None
    }

    /// Predicts labels. Answer with one prediction per task, in order, or with none at all.
    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions>;

    /// Learns from an annotation event; the value is the job's result. Models that do not train
    /// keep this default, and one that does not train this time returns `{"skipped": reason}`.
    ///
    /// Runs as a stored job: [`Project::job`] takes its progress and its log, and says whether a
    /// user wants it to end. A job that a crash cut short runs again, so `fit` may see an event
    /// twice.
    fn fit(&self, _project: &Project, _event: &Event) -> anyhow::Result<Value> {
        Ok(Value::Null)
    }

    /// Paths that the model serves itself, such as `/data/upload`, besides the routes of every
    /// backend. None by default.
    fn custom_routes(&self) -> &[&str] {
        &[]
    }

    /// Answers a request for one of [`Model::custom_routes`]. The server has checked the caller's
    /// credentials. The call gets a thread like a prediction, and runs to its end even if the
    /// client disconnects.
    fn answer_custom_route(&self, request: &CustomRequest) -> anyhow::Result<CustomReply> {
        anyhow::bail!("{} is not answered", request.path)
    }

    /// Returns whether predictions are exclusive: the server then runs one at a time, whatever
    /// `THREADS` is. For models that need the whole memory of an accelerator; `false` by default.
    fn is_exclusive(&self) -> bool {
        false
    }

    /// Returns how many tasks a call of [`Model::predict`] has, and whether requests wait for each
    /// other to share one. Off by default.
    fn batching(&self) -> Batching {
        Batching::default()
    }

    /// Returns which annotation events `fit` wants to see when many of them wait.
    fn fit_on(&self) -> FitOn {
        FitOn::EveryEvent
    }

    /// Name shown by the health check; the type's name by default.
    fn name(&self) -> &str {
        short_type_name::<Self>()
    }
}

/// Which annotation events a model learns from when many of them wait. Requests to train are not
/// affected: those that wait become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FitOn {
    /// Every event, in order.
    #[default]
    EveryEvent,
    /// The latest event of each annotation: for a model that wants to know what an annotation is
    /// now, not how it became that.
    LatestPerAnnotation,
}

/// A request for predictions.
#[derive(Debug, Clone, Default)]
pub struct PredictRequest {
    /// Tasks to predict, in the order of the answer.
    pub tasks: Vec<Task>,
    /// Interactive context: what the annotator just drew or typed, usually `{"result": [regions]}`;
    /// `None` for a batch.
    pub context: Option<Value>,
    /// Other params of the request, such as `login` and `password`.
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

    /// Returns whether the request is interactive, so that an annotator waits for the answer. An
    /// empty context counts as none, as in Python.
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

/// A change of a project's annotations, or a request to train.
#[derive(Debug, Clone)]
pub struct Event {
    /// What happened.
    pub action: Action,
    /// The body that Label Studio sent, without `action`: `project`, and for annotation events
    /// `task` and `annotation` (`annotations` for deletions).
    pub payload: Value,
}

impl Event {
    /// Returns the regions of the annotation that was created or changed, empty for other events.
    pub fn annotation_regions(&self) -> &[Value] {
        let result = self.payload.pointer("/annotation/result");
        result.and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

/// Kind of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// An annotation was submitted; skipping a task counts.
    AnnotationCreated,
    /// An annotation was changed.
    AnnotationUpdated,
    /// Annotations were deleted.
    AnnotationDeleted,
    /// A user pressed “Start training”.
    StartTraining,
}

impl Action {
    /// Reads the name that Label Studio uses on the wire; other events are `None`.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            // The plural comes from accepting the predictions of many tasks at once.
            "ANNOTATION_CREATED" | "ANNOTATIONS_CREATED" => Self::AnnotationCreated,
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
    // Health checks ask for it. A search for one character is quick.
    let end = name.find('<').unwrap_or(name.len());
    let start = name[..end].rfind(':').map_or(0, |colon| colon + 1);
    &name[start..end]
}
