//! The last prompt and thresholds of a project, in its store.

use label_studio_ml::{Control, Project, Value, store::StoreError};
use label_studio_vision::models::grounding_dino::{PromptControls, Thresholds};

const PROMPT: &str = "prompt";
const BOX_THRESHOLD: &str = "BOX_THRESHOLD";
const TEXT_THRESHOLD: &str = "TEXT_THRESHOLD";
/// A threshold that the last annotation did not have.
const NO_NUMBER: &str = "";

/// Returns the prompt of the last annotation that had one.
pub(crate) fn prompt(project: &Project) -> Result<Option<String>, StoreError> {
    project.get(PROMPT)
}

/// Returns the thresholds of the last annotation that had some, or the defaults. What has no
/// control in the label config has its default.
pub(crate) fn thresholds(
    project: &Project,
    controls: &PromptControls<'_>,
    default: Thresholds,
) -> Result<Thresholds, StoreError> {
    let number = |control: Option<&Control>, key: &str, default: f64| -> Result<f64, StoreError> {
        if control.is_none() {
            return Ok(default);
        }
        let stored = project.get(key)?;
        Ok(stored
            .and_then(|number| number.trim().parse().ok())
            .unwrap_or(default))
    };
    Ok(Thresholds {
        box_score: number(controls.box_threshold, BOX_THRESHOLD, default.box_score)?,
        token_score: number(controls.text_threshold, TEXT_THRESHOLD, default.token_score)?,
    })
}

/// Stores the prompt and the thresholds of an annotation, and returns the names of those that it
/// had. With a new prompt, thresholds that were not entered have their defaults again.
pub(crate) fn remember(
    project: &Project,
    controls: &PromptControls<'_>,
    regions: &[Value],
) -> Result<Vec<&'static str>, StoreError> {
    let mut remembered = Vec::new();
    let prompt = controls.typed(regions);
    if let Some(prompt) = prompt {
        project.set(PROMPT, prompt)?;
        remembered.push(PROMPT);
    }
    for (key, control) in [
        (BOX_THRESHOLD, controls.box_threshold),
        (TEXT_THRESHOLD, controls.text_threshold),
    ] {
        if let Some(number) = PromptControls::entered(control, regions) {
            project.set(key, &number.to_string())?;
            remembered.push(key);
        } else if prompt.is_some() {
            project.set(key, NO_NUMBER)?;
        }
    }
    Ok(remembered)
}
