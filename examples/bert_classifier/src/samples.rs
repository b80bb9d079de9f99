//! What the annotations of a project teach.

use label_studio_ml::{Control, Task, anyhow, sdk::Annotation};

/// Kind of region that a `<Choices>` control makes.
const CHOICES: &str = "choices";

/// A text and its label, as its place among the labels of the control.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The text.
    pub text: String,
    /// Which label of the control it has.
    pub label: usize,
}

/// Collects one sample per annotation that chose something with `control`: the task's text and the
/// first choice.
///
/// Skipped tasks, cancelled annotations, choices that the label config does not have any more, and
/// tasks whose text cannot be had are left out.
pub fn samples(
    tasks: &[Task],
    control: &Control,
    text_of: impl Fn(&Task) -> anyhow::Result<String>,
) -> Vec<Sample> {
    let mut samples = Vec::new();
    for task in tasks {
        let annotations = match task.annotations() {
            Ok(annotations) => annotations,
            Err(error) => {
                tracing::warn!(task = task.id, %error, "annotations not understood, task left out of the training");
                continue;
            }
        };
        let labels: Vec<_> = annotations
            .iter()
            .filter_map(|annotation| label(annotation, control))
            .collect();
        if labels.is_empty() {
            continue;
        }
        match text_of(task) {
            Ok(text) => samples.extend(labels.into_iter().map(|label| Sample {
                text: text.clone(),
                label,
            })),
            Err(error) => {
                tracing::warn!(task = task.id, "task left out of the training: {error:#}");
            }
        }
    }
    samples
}

/// Returns what an annotation chose with `control`.
fn label(annotation: &Annotation, control: &Control) -> Option<usize> {
    if annotation.is_skipped() {
        return None;
    }
    let regions = annotation
        .result
        .iter()
        .filter_map(|entry| entry.as_region());
    let mut of_control =
        regions.filter(|region| region.from_name == control.name && region.kind == CHOICES);
    let label = of_control.next()?.value.get(CHOICES)?.get(0)?.as_str()?;
    control.labels.iter().position(|known| known == label)
}
