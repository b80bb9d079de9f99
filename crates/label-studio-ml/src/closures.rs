//! A model made of closures, without a struct for it.

use serde_json::Value;

use crate::{
    model::{Event, Model, PredictRequest},
    predictions::Predictions,
    project::Project,
};

type PredictFn = dyn Fn(&Project, &PredictRequest) -> anyhow::Result<Predictions> + Send + Sync;
type UpdateFn = dyn Fn(&Project, &Event) -> anyhow::Result<Value> + Send + Sync;

/// A model made of closures.
///
/// ```
/// use label_studio_ml::{FnModel, Prediction, json, testing::TestClient};
///
/// let model = FnModel::new("Shouter").predict_fn(|_, request| {
///     Ok(request.tasks.iter().map(|_| Prediction::new([json!({ "loud": true })])).collect())
/// });
/// let answer = TestClient::new(model).predict(&json!({ "tasks": [{ "data": { "text": "hi" } }] }));
/// assert_eq!(answer["results"][0]["result"][0], json!({ "loud": true }));
/// ```
pub struct FnModel {
    name: String,
    predict: Box<PredictFn>,
    update: Option<Box<UpdateFn>>,
}

impl FnModel {
    /// Creates a model without predictions and training.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            predict: Box::new(|_, _| Ok(Predictions::default())),
            update: None,
        }
    }

    /// Sets the closure for `/predict`.
    #[must_use]
    pub fn predict_fn<F>(mut self, predict: F) -> Self
    where
        F: Fn(&Project, &PredictRequest) -> anyhow::Result<Predictions> + Send + Sync + 'static,
    {
        self.predict = Box::new(predict);
        self
    }

    /// Sets the closure for annotation events.
    #[must_use]
    pub fn update_fn<F>(mut self, update: F) -> Self
    where
        F: Fn(&Project, &Event) -> anyhow::Result<Value> + Send + Sync + 'static,
    {
        self.update = Some(Box::new(update));
        self
    }
}

impl Model for FnModel {
    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        (self.predict)(project, request)
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        self.update
            .as_ref()
            .map_or(Ok(Value::Null), |update| update(project, event))
    }

    fn name(&self) -> &str {
        &self.name
    }
}
