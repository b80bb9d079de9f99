//! What the store keeps about a project: the last prompt and thresholds.

use label_studio_inference::grounding_dino::{PromptControls, Thresholds};
use label_studio_ml::{Control, Project, StoreError, Value, anyhow};

const PROMPT: &str = "prompt";
const BOX_THRESHOLD: &str = "BOX_THRESHOLD";
const TEXT_THRESHOLD: &str = "TEXT_THRESHOLD";

/// Returns the prompt of the last annotation that had one.
pub(crate) fn prompt(project: &Project) -> Result<Option<String>, StoreError> {
    project.get(PROMPT)
}

/// Returns the thresholds for a call: what was entered just now, else what the last annotation had, else the defaults. A
/// label config without a control has the default.
pub(crate) fn thresholds(
    project: &Project,
    controls: &PromptControls<'_>,
    context: &[Value],
    default: Thresholds,
) -> anyhow::Result<Thresholds> {
    let threshold = |control: Option<&Control>, key: &str, default: f64| {
        let Some(control) = control else {
            return Ok(default);
        };
        let number = match PromptControls::entered(Some(control), context) {
            Some(number) => Some(number),
            None => project
                .get(key)?
                .and_then(|number| number.trim().parse().ok()),
        };
        let number = number.unwrap_or(default);
        anyhow::ensure!(
            (0.0..=1.0).contains(&number),
            "{} is {number}: enter a number from 0 to 1",
            control.name
        );
        Ok(number)
    };
    Ok(Thresholds {
        box_score: threshold(controls.box_threshold, BOX_THRESHOLD, default.box_score)?,
        token_score: threshold(controls.text_threshold, TEXT_THRESHOLD, default.token_score)?,
    })
}

/// Keeps what an annotation says, and returns which of it there was.
pub(crate) fn remember(
    project: &Project,
    controls: &PromptControls<'_>,
    regions: &[Value],
) -> Result<Vec<&'static str>, StoreError> {
    let box_threshold = PromptControls::entered(controls.box_threshold, regions);
    let text_threshold = PromptControls::entered(controls.text_threshold, regions);
    let found = [
        (PROMPT, controls.typed(regions).map(str::to_owned)),
        (
            BOX_THRESHOLD,
            box_threshold.map(|number| number.to_string()),
        ),
        (
            TEXT_THRESHOLD,
            text_threshold.map(|number| number.to_string()),
        ),
    ];
    let mut remembered = Vec::new();
    for (key, value) in found {
        if let Some(value) = value {
            project.set(key, &value)?;
            remembered.push(key);
        }
    }
    Ok(remembered)
}
