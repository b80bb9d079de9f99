//! Suggests the project's most recent choice: a placeholder, to be replaced by your model.

use label_studio_ml::{
    Action, Event, Model, PredictRequest, Prediction, Predictions, Project, Value, anyhow, json,
};

const LAST_CHOICE: &str = "last_choice";
const FIRST_CHOICE: &str = "/annotation/result/0/value/choices/0";

/// Suggests the project's most recent choice, with a fixed score.
///
/// Put weights into fields here; what training replaces belongs behind a lock.
#[derive(Debug, Clone, Copy)]
pub struct NewModel {
    /// Score attached to every suggestion.
    pub score: f64,
}

impl Model for NewModel {
    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let choices = project.label_config().first_pair("Choices", "Text")?;
        let Some(choice) = project.get(LAST_CHOICE)? else {
            return Ok(Predictions::default());
        };
        let region = choices.control.region(json!({ "choices": [choice] }));
        let prediction = Prediction::new([region]).with_score(self.score);
        Ok(request.tasks.iter().map(|_| prediction.clone()).collect())
    }

    fn fit(&self, project: &Project, event: &Event) -> anyhow::Result<Value> {
        if event.action == Action::AnnotationDeleted {
            return Ok(Value::Null);
        }
        if let Some(choice) = event.payload.pointer(FIRST_CHOICE).and_then(Value::as_str) {
            project.set(LAST_CHOICE, choice)?;
            // Predictions are stored under the version, so that old and new ones can be told apart.
            project.bump_model_version()?;
        }
        Ok(Value::Null)
    }
}
