//! Suggests the project's most recent choice: a placeholder, to be replaced by your model.

use label_studio_ml::{
    Action, Event, Model, ModelState, PredictRequest, Prediction, Predictions, Project, Value,
    anyhow, json, model_version::bump,
};

const LAST_CHOICE: &str = "last_choice";
const FIRST_CHOICE: &str = "/annotation/result/0/value/choices/0";

/// Suggests the project's most recent choice, with a fixed score.
///
/// Put weights into fields here. What training makes belongs into a [`ModelState`], which loads it
/// again when another process has trained.
#[derive(Debug)]
pub struct NewModel {
    score: f64,
    last_choice: ModelState<Option<String>>,
}

impl NewModel {
    /// Creates a model that attaches `score` to every suggestion.
    pub fn new(score: f64) -> Self {
        let last_choice = ModelState::default();
        Self { score, last_choice }
    }
}

impl Model for NewModel {
    fn predict(&self, project: &Project, request: &PredictRequest) -> anyhow::Result<Predictions> {
        let choices = project.label_config().first_pair("Choices", "Text")?;
        let last_choice = self
            .last_choice
            .get(project, |_version| Ok(project.get(LAST_CHOICE)?))?;
        let Some(choice) = &*last_choice else {
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
            // Saved first: other processes load it as soon as the version is another one.
            project.set(LAST_CHOICE, choice)?;
            let version = bump(&project.model_version()?);
            self.last_choice
                .replace(project, &version, Some(choice.to_owned()))?;
        }
        Ok(Value::Null)
    }
}
