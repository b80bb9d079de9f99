//! What the annotations of a project teach.

use label_studio_ml::{
    Control, LabelConfig, Object, Task, anyhow,
    sdk::{Annotation, Pair},
};

use crate::Sample;

/// Kind of region that a `<Choices>` control makes.
const CHOICES: &str = "choices";

/// Collects one sample per annotation that chose something with the first `Choices` on a `Text`: the
/// text and the first choice. A `Repeater` has such a pair for each of its entries.
///
/// Skipped tasks, cancelled annotations, choices that the label config does not have any more, and
/// tasks whose text cannot be had are left out.
pub fn samples(
    tasks: &[Task],
    label_config: &LabelConfig,
    text_of: impl Fn(&Object, &Task) -> anyhow::Result<String>,
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
        let left_out = |error: anyhow::Error| {
            tracing::warn!(task = task.id, "task left out of the training: {error:#}");
        };
        let entries = label_config.for_entries(&task.data);
        let entries = entries.map_err(|error| left_out(error.into()));
        for entry in entries.into_iter().flatten() {
            let Ok(Pair { control, object }) = entry.first_pair("Choices", "Text") else {
                continue;
            };
            let labels = annotations
                .iter()
                .filter_map(|annotation| label(annotation, control));
            let labels: Vec<_> = labels.collect();
            if labels.is_empty() {
                continue;
            }
            match text_of(object, task) {
                Ok(text) => samples.extend(labels.into_iter().map(|label| Sample {
                    text: text.clone(),
                    label: label.to_owned(),
                })),
                Err(error) => left_out(error),
            }
        }
    }
    samples
}

/// Returns what an annotation chose with `control`.
fn label<'a>(annotation: &'a Annotation, control: &Control) -> Option<&'a str> {
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
    control
        .labels
        .iter()
        .any(|known| known == label)
        .then_some(label)
}
