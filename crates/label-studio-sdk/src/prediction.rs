//! What a model suggests for a task.

use serde::{Deserialize, Serialize, Serializer};

use crate::ResultEntry;

/// What a model suggests for a task.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Prediction {
    /// Version of the model that made it. Left out of the JSON when unknown: Label Studio refuses a whole batch for
    /// one null.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// Regions and relations.
    #[serde(default, deserialize_with = "crate::annotation::null_as_default")]
    pub result: Vec<ResultEntry>,
    /// Confidence from 0 to 1. A number that is not finite is written as null.
    #[serde(default, serialize_with = "finite_or_null")]
    pub score: Option<f64>,
}

impl Prediction {
    /// Creates a prediction of score 0.
    pub fn new<I>(result: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<ResultEntry>,
    {
        Self {
            model_version: None,
            result: result.into_iter().map(Into::into).collect(),
            score: Some(0.0),
        }
    }

    /// Sets the confidence, from 0 to 1.
    #[must_use]
    pub fn with_score(mut self, score: f64) -> Self {
        self.score = Some(score);
        self
    }

    /// Sets the confidence to the mean of the regions' scores, 0 when none has one.
    #[must_use]
    pub fn with_mean_score(mut self) -> Self {
        let (mut sum, mut n_scores) = (0.0, 0.0);
        for score in self
            .result
            .iter()
            .filter_map(|entry| entry.as_region()?.score)
        {
            sum += score;
            n_scores += 1.0;
        }
        self.score = Some(if n_scores > 0.0 { sum / n_scores } else { 0.0 });
        self
    }

    /// Sets the version of the model that made the prediction.
    #[must_use]
    pub fn with_model_version(mut self, model_version: impl Into<String>) -> Self {
        self.model_version = Some(model_version.into());
        self
    }
}

#[expect(clippy::ref_option, reason = "serde's signature")]
fn finite_or_null<S: Serializer>(score: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    score
        .filter(|score| score.is_finite())
        .serialize(serializer)
}
