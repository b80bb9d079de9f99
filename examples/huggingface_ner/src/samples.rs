//! What the annotations of a project teach.

use label_studio_ml::{Region, Task, anyhow, sdk::Annotation};

use crate::Controls;

/// An annotated text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The text.
    pub text: String,
    /// Its entities, in the order of the text.
    pub entities: Vec<Entity>,
}

/// An annotated part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its first label.
    pub label: String,
    /// First character.
    pub start: usize,
    /// Character behind the last one.
    pub end: usize,
}

/// Collects one sample per annotation that marked something with one of the controls.
///
/// Cancelled annotations, regions without a label, and tasks whose text cannot be had are left out.
pub fn samples(
    tasks: &[Task],
    controls: &Controls<'_>,
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
        let marked: Vec<_> = annotations
            .iter()
            .map(|annotation| entities(annotation, controls))
            .filter(|entities| !entities.is_empty())
            .collect();
        if marked.is_empty() {
            continue;
        }
        match text_of(task) {
            Ok(text) => samples.extend(marked.into_iter().map(|entities| Sample {
                text: text.clone(),
                entities,
            })),
            Err(error) => {
                tracing::warn!(task = task.id, "task left out of the training: {error:#}");
            }
        }
    }
    samples
}

/// Returns what an annotation marked.
fn entities(annotation: &Annotation, controls: &Controls<'_>) -> Vec<Entity> {
    if annotation.is_skipped() {
        return Vec::new();
    }
    let regions = annotation
        .result
        .iter()
        .filter_map(|entry| entry.as_region())
        .filter(|region| controls.has(&region.from_name) && region.to_name == controls.object.name);
    let mut entities: Vec<_> = regions.filter_map(entity).collect();
    entities.sort_by_key(|entity| (entity.start, entity.end));
    entities
}

fn entity(region: &Region) -> Option<Entity> {
    let offset = |name| {
        let offset = region.value.get(name)?.as_u64()?;
        usize::try_from(offset).ok()
    };
    let (start, end) = (offset("start")?, offset("end")?);
    let label = region.labels().next()?;
    (start < end).then(|| Entity {
        label: label.to_owned(),
        start,
        end,
    })
}
