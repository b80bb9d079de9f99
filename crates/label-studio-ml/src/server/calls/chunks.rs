//! Calls of the model's `predict`: a large request in several, and the tasks of one that failed one
//! by one.

use label_studio_sdk::{Prediction, Task};
use serde_json::Value;

use crate::{
    model::{Model, PredictRequest},
    predictions::{Predictions, TaskPrediction},
    project::Project,
    repeated,
    server::calls::executor::catch_panic,
};

/// A request to predict, and what answers it.
#[derive(Clone, Copy)]
pub(crate) struct PredictCall<'a> {
    pub(crate) model: &'a dyn Model,
    pub(crate) project: &'a Project,
    pub(crate) request: &'a PredictRequest,
}

impl PredictCall<'_> {
    /// Predicts the request in calls of at most `max_tasks` tasks.
    pub(crate) fn predict(&self, max_tasks: usize) -> anyhow::Result<Predictions> {
        let tasks = &self.request.tasks;
        if tasks.len() <= max_tasks.max(1) {
            return repeated::predict(self.model, self.project, self.request);
        }
        let mut joined = Joined::default();
        for tasks in tasks.chunks(max_tasks.max(1)) {
            match self.predict_tasks(tasks) {
                Ok(predictions) => joined.extend(predictions, tasks.len()),
                Err(error) => joined.extend(self.one_by_one(tasks, &error)?, tasks.len()),
            }
        }
        Ok(joined.predictions)
    }

    /// Predicts tasks in one call, with context and params of the request. An answer with another
    /// number of predictions is an error.
    pub(crate) fn predict_tasks(&self, tasks: &[Task]) -> anyhow::Result<Predictions> {
        let part = PredictRequest {
            tasks: tasks.to_vec(),
            context: self.request.context.clone(),
            params: self.request.params.clone(),
        };
        let predictions = catch_panic(|| repeated::predict(self.model, self.project, &part))?;
        let n_predictions = predictions.tasks.len();
        anyhow::ensure!(
            n_predictions == 0 || n_predictions == tasks.len(),
            "the model answered with {n_predictions} predictions for {} tasks",
            tasks.len()
        );
        Ok(predictions)
    }

    /// Predicts tasks one by one. When all of them fail, the first error is that of the model.
    fn one_by_one(&self, tasks: &[Task], error: &anyhow::Error) -> anyhow::Result<Predictions> {
        let predict = |task: &Task| match self.predict_tasks(std::slice::from_ref(task)) {
            Ok(predictions) => predictions.tasks.into_iter().next().unwrap_or_else(empty),
            Err(error) => TaskPrediction::Failed(format!("{error:#}")),
        };
        let predictions: Predictions = tasks.iter().map(predict).collect();
        let is_failed = |task: &TaskPrediction| matches!(task, TaskPrediction::Failed(_));
        if predictions.tasks.iter().all(is_failed) {
            anyhow::bail!("{error:#}");
        }
        Ok(predictions)
    }
}

/// The answers of the calls so far.
#[derive(Default)]
struct Joined {
    predictions: Predictions,
    /// Tasks before the first prediction, of calls that answered with none at all.
    n_without: usize,
}

impl Joined {
    fn extend(&mut self, predictions: Predictions, n_tasks: usize) {
        let tasks = &mut self.predictions.tasks;
        if !predictions.tasks.is_empty() {
            tasks.extend(std::iter::repeat_with(empty).take(std::mem::take(&mut self.n_without)));
            tasks.extend(predictions.tasks);
        } else if tasks.is_empty() {
            self.n_without += n_tasks;
        } else {
            tasks.extend(std::iter::repeat_with(empty).take(n_tasks));
        }
    }
}

fn empty() -> TaskPrediction {
    TaskPrediction::One(Prediction::new([] as [Value; 0]))
}
