//! A model's answer to one request.

use label_studio_sdk::Prediction;
use serde::{Serialize, Serializer, ser::SerializeMap};

/// A model's answer: one entry per task, in the order of the tasks, or no entries.
///
/// Collects from an iterator of [`Prediction`], of `Vec<Prediction>` (several per task) or of
/// [`TaskPrediction`], so that most models are one `map`.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Predictions {
    /// One entry per task.
    pub tasks: Vec<TaskPrediction>,
}

/// A model's answer for one task.
#[derive(Debug, Clone, PartialEq)]
pub enum TaskPrediction {
    /// One prediction.
    One(Prediction),
    /// One prediction whose score is left out, where [`TaskPrediction::One`] writes null for none.
    Unscored(Prediction),
    /// Several predictions; Label Studio stores each.
    Several(Vec<Prediction>),
    /// The task could not be predicted, for this reason. The other tasks keep their predictions.
    Failed(String),
}

impl Predictions {
    /// Sets the model version of every prediction without one.
    #[must_use]
    pub fn stamped(mut self, model_version: &str) -> Self {
        let stamp = |prediction: &mut Prediction| {
            prediction
                .model_version
                .get_or_insert_with(|| model_version.to_owned());
        };
        for task in &mut self.tasks {
            match task {
                TaskPrediction::One(prediction) | TaskPrediction::Unscored(prediction) => {
                    stamp(prediction);
                }
                TaskPrediction::Several(predictions) => predictions.iter_mut().for_each(stamp),
                TaskPrediction::Failed(_) => {}
            }
        }
        self
    }

    /// Gives every task exactly one prediction: the first of several, and an empty one for a task
    /// that failed. Label Studio up to 1.12 stores no prediction of a batch in which an entry is
    /// something else.
    #[must_use]
    pub fn with_one_result_each(mut self) -> Self {
        for task in &mut self.tasks {
            let one = match task {
                TaskPrediction::One(_) | TaskPrediction::Unscored(_) => continue,
                TaskPrediction::Several(predictions) => predictions.drain(..).next(),
                TaskPrediction::Failed(_) => None,
            };
            *task = TaskPrediction::One(one.unwrap_or_default());
        }
        self
    }

    /// Returns the number of regions of all predictions.
    pub fn n_regions(&self) -> usize {
        let n_regions = |task: &TaskPrediction| match task {
            TaskPrediction::One(prediction) | TaskPrediction::Unscored(prediction) => {
                prediction.result.len()
            }
            TaskPrediction::Several(predictions) => predictions
                .iter()
                .map(|prediction| prediction.result.len())
                .sum(),
            TaskPrediction::Failed(_) => 0,
        };
        self.tasks.iter().map(n_regions).sum()
    }
}

impl From<Prediction> for TaskPrediction {
    fn from(prediction: Prediction) -> Self {
        Self::One(prediction)
    }
}

impl From<Vec<Prediction>> for TaskPrediction {
    fn from(predictions: Vec<Prediction>) -> Self {
        Self::Several(predictions)
    }
}

impl From<anyhow::Result<Prediction>> for TaskPrediction {
    fn from(result: anyhow::Result<Prediction>) -> Self {
        match result {
            Ok(prediction) => Self::One(prediction),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

impl<T: Into<TaskPrediction>> FromIterator<T> for Predictions {
    fn from_iter<I: IntoIterator<Item = T>>(predictions: I) -> Self {
        Self {
            tasks: predictions.into_iter().map(Into::into).collect(),
        }
    }
}

impl Serialize for TaskPrediction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(prediction) => prediction.serialize(serializer),
            Self::Unscored(prediction) => {
                let mut map = serializer.serialize_map(None)?;
                if let Some(model_version) = &prediction.model_version {
                    map.serialize_entry("model_version", model_version)?;
                }
                map.serialize_entry("result", &prediction.result)?;
                map.end()
            }
            Self::Several(predictions) => predictions.serialize(serializer),
            Self::Failed(detail) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("error", detail)?;
                map.end()
            }
        }
    }
}
