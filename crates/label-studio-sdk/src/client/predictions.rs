//! Predictions stored in Label Studio.

use serde::{Deserialize, Serialize, de::IgnoredAny};
use ureq::http::Method;

use super::{Client, ClientError};
use crate::Prediction;

#[derive(Serialize)]
struct TaskPrediction<'a> {
    task: i64,
    #[serde(flatten)]
    prediction: &'a Prediction,
}

#[derive(Deserialize)]
struct Created {
    created: usize,
}

impl Client {
    /// Asks for the predictions stored for a task.
    pub fn predictions(&self, task: i64) -> Result<Vec<Prediction>, ClientError> {
        self.get("api/predictions/", &[("task", task.to_string())])
    }

    /// Stores a prediction for a task.
    pub fn create_prediction(&self, task: i64, prediction: &Prediction) -> Result<(), ClientError> {
        let body = TaskPrediction { task, prediction };
        self.send::<IgnoredAny>(&Method::POST, "api/predictions/", &body)?;
        Ok(())
    }

    /// Stores predictions for tasks of one project in a single request and returns how many were stored.
    ///
    /// Each entry is a task's number and a prediction for it. Label Studio stores all of them or none.
    pub fn create_predictions<'a>(
        &self,
        project: i64,
        predictions: impl IntoIterator<Item = (i64, &'a Prediction)>,
    ) -> Result<usize, ClientError> {
        let path = format!("api/projects/{project}/import/predictions");
        let body: Vec<_> = predictions
            .into_iter()
            .map(|(task, prediction)| TaskPrediction { task, prediction })
            .collect();
        let answer: Created = self.send(&Method::POST, &path, &body)?;
        Ok(answer.created)
    }

    /// Deletes a stored prediction by its number.
    pub fn delete_prediction(&self, id: i64) -> Result<(), ClientError> {
        self.delete(&format!("api/predictions/{id}/"))
    }
}
