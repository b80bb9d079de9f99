//! What the annotations of a project teach.

use label_studio_ml::{Region, Task, Value, anyhow, sdk::Annotation};

use crate::{Asked, Controls};

/// An annotated text, for one of the controls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The text.
    pub text: String,
    /// Words of the text, if the task names them: `tokens`.
    pub tokens: Option<Vec<String>>,
    /// Which of the controls.
    pub control: usize,
    /// What was marked with the control.
    pub marked: Vec<Marked>,
}

/// A marked part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// Which of the control's names its first label has.
    pub label: usize,
    /// First character.
    pub start: usize,
    /// Character behind the last one.
    pub end: usize,
}

/// Collects one sample per annotation and control with which something was marked.
///
/// Cancelled annotations, regions without a known label, and tasks whose text cannot be had are
/// left out.
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
        let of_annotation = |annotation: &Annotation| {
            let asked = controls.asked.iter().enumerate();
            let marked = asked.map(|(idx, asked)| (idx, marked(annotation, asked, controls)));
            marked
                .filter(|(_, marked)| !marked.is_empty())
                .collect::<Vec<_>>()
        };
        let known: Vec<_> = annotations.iter().flat_map(of_annotation).collect();
        if known.is_empty() {
            continue;
        }
        match text_of(task) {
            Ok(text) => {
                let tokens = tokens(task.data.get("tokens"), &text);
                samples.extend(known.into_iter().map(|(control, marked)| Sample {
                    text: text.clone(),
                    tokens: tokens.clone(),
                    control,
                    marked,
                }));
            }
            Err(error) => {
                tracing::warn!(task = task.id, "task left out of the training: {error:#}");
            }
        }
    }
    samples
}

/// Returns the first and the last of the words that a part of the text touches, given the first
/// character of each word and the one behind it.
pub fn word_span(
    words: impl IntoIterator<Item = (usize, usize)>,
    (start, end): (usize, usize),
) -> Option<(usize, usize)> {
    let touched = words
        .into_iter()
        .enumerate()
        .filter(|(_, word)| word.0 < end && start < word.1);
    let mut touched = touched.map(|(idx, _)| idx);
    let first = touched.next()?;
    Some((first, touched.last().unwrap_or(first)))
}

/// Returns what an annotation marked with a control.
fn marked(annotation: &Annotation, asked: &Asked<'_>, controls: &Controls<'_>) -> Vec<Marked> {
    if annotation.is_skipped() {
        return Vec::new();
    }
    let regions = annotation
        .result
        .iter()
        .filter_map(|entry| entry.as_region());
    let own = regions.filter(|region| {
        region.from_name == asked.control.name && region.to_name == controls.object.name
    });
    let marked = |region: &Region| {
        let offset = |name| usize::try_from(region.value.get(name)?.as_u64()?).ok();
        let (start, end) = (offset("start")?, offset("end")?);
        let label = asked.number_of(region.labels().next()?)?;
        (start < end).then_some(Marked { label, start, end })
    };
    own.filter_map(marked).collect()
}

/// Returns the words that a task names, if they make up its text.
fn tokens(named: Option<&Value>, text: &str) -> Option<Vec<String>> {
    let words = named?.as_array()?.iter();
    let words: Vec<String> = words
        .map(|word| word.as_str().map(str::to_owned))
        .collect::<Option<_>>()?;
    let is_whole = words.iter().all(|word| !word.is_empty()) && words.join(" ") == text;
    is_whole.then_some(words)
}
