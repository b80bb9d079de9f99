//! The controls that the model's answer fills.

use std::borrow::Cow;

use label_studio_ml::{
    Control, LabelConfig, Object, Task, Value,
    anyhow::{self, bail},
    sdk::{Pair, python, values::ValueKind},
};

use crate::taxonomy;

/// Object tags whose content can be put into a question.
pub(crate) const OBJECTS: [&str; 5] = ["Image", "Text", "HyperText", "Paragraphs", "Pdf"];
/// Stars of a `Rating` without `maxRating`.
const MAX_RATING: u64 = 5;

/// The prompt of a label config, its object, and the controls of the same object that answers go into.
pub(crate) struct Outputs<'a> {
    pub(crate) prompt: &'a Control,
    pub(crate) object: &'a Object,
    pub(crate) fields: Vec<Output<'a>>,
}

/// A control that an answer goes into.
pub(crate) struct Output<'a> {
    pub(crate) control: &'a Control,
    pub(crate) kind: OutputKind,
}

/// Kind of value that a control accepts.
pub(crate) enum OutputKind {
    /// Labels, or only one.
    Choices { is_single: bool },
    /// Paths of items, or only one; `names` are the paths as prompts and answers have them.
    Taxonomy {
        paths: Vec<Vec<String>>,
        names: Vec<String>,
        is_single: bool,
    },
    /// Any text.
    TextArea,
    /// A whole number from 1.
    Rating { max: u64 },
    /// A number within bounds.
    Number { min: Option<f64>, max: Option<f64> },
}

impl<'a> Outputs<'a> {
    /// Finds what to fill. A structured answer has a value for every control; a plain text is matched with the first
    /// `Choices`, or whatever else can be told from it, and put into the first `TextArea`.
    pub(crate) fn find(
        label_config: &'a LabelConfig,
        pair: Pair<'a>,
        is_structured: bool,
    ) -> anyhow::Result<Self> {
        let Pair {
            control: prompt,
            object,
        } = pair;
        let controls = label_config.controls().iter();
        let all = controls.filter(|control| {
            control.name != prompt.name
                && control.attr("perRegion") != Some("true")
                && label_config
                    .objects_of(control)
                    .any(|known| known.name == object.name)
        });
        let mut fields: Vec<_> = all
            .filter_map(|control| Output::of(label_config, control))
            .collect();
        if !is_structured {
            fields = matching_a_text(fields);
        }
        if fields.is_empty() {
            bail!(
                "the label config has nothing to fill: add a <Choices>, <TextArea>, <Taxonomy>, <Rating> or <Number> \
                 with toName={:?}, besides the prompt {:?}",
                object.name,
                prompt.name
            );
        }
        Ok(Self {
            prompt,
            object,
            fields,
        })
    }

    /// Returns the labels as prompts show them: a list as Python writes it, `None` when there is no control with labels.
    pub(crate) fn labels_text(&self, task: &Task) -> String {
        let labels = self.fields.iter().find_map(|field| field.labels(task));
        let labels = labels.map_or(Value::Null, |labels| Value::from(labels.into_owned()));
        python::repr(&labels)
    }
}

/// Keeps what can be filled from a plain text: one control that takes something of it, and one that takes all.
fn matching_a_text(fields: Vec<Output<'_>>) -> Vec<Output<'_>> {
    let rank = |field: &Output<'_>| match field.kind {
        OutputKind::Choices { .. } => 0,
        OutputKind::TextArea => 2,
        _ => 1,
    };
    let (texts, mut matched): (Vec<_>, Vec<_>) =
        fields.into_iter().partition(|field| rank(field) == 2);
    // The sort is stable: of several controls of a rank, the first one of the label config counts.
    matched.sort_by_key(rank);
    matched
        .into_iter()
        .take(1)
        .chain(texts.into_iter().take(1))
        .collect()
}

impl<'a> Output<'a> {
    fn of(label_config: &LabelConfig, control: &'a Control) -> Option<Self> {
        let number = |name: &str| control.attr(name)?.trim().parse().ok();
        let kind = match control.value_kind()? {
            ValueKind::Choices => OutputKind::Choices {
                is_single: control.attr("choice") != Some("multiple"),
            },
            ValueKind::TextArea => OutputKind::TextArea,
            ValueKind::Taxonomy => {
                let paths = taxonomy::paths(label_config, control);
                OutputKind::Taxonomy {
                    names: paths
                        .iter()
                        .map(|path| path.join(taxonomy::SEPARATOR))
                        .collect(),
                    paths,
                    is_single: control.attr("maxUsages") == Some("1"),
                }
            }
            ValueKind::Rating => OutputKind::Rating {
                max: control
                    .attr("maxRating")
                    .and_then(|max| max.trim().parse().ok())
                    .filter(|max| *max > 0)
                    .unwrap_or(MAX_RATING),
            },
            ValueKind::Number => OutputKind::Number {
                min: number("min"),
                max: number("max"),
            },
            _ => return None,
        };
        Some(Self { control, kind })
    }

    /// Returns what can be chosen, for controls where something can. Choices may come from the task.
    pub(crate) fn labels(&self, task: &Task) -> Option<Cow<'_, [String]>> {
        match &self.kind {
            OutputKind::Choices { .. } => Some(match self.control.attr("value") {
                Some(value) if self.control.labels.is_empty() => {
                    Cow::Owned(task_labels(task, value.trim_start_matches('$')))
                }
                _ => Cow::Borrowed(&*self.control.labels),
            }),
            OutputKind::Taxonomy { names, .. } => Some(Cow::Borrowed(names)),
            _ => None,
        }
    }
}

/// Reads choices that a task brings: texts, or objects with `alias` or `value`.
fn task_labels(task: &Task, field: &str) -> Vec<String> {
    let items = task.data.get(field).and_then(Value::as_array);
    let label = |item: &Value| {
        let text = item.as_str().or_else(|| item["alias"].as_str());
        text.or_else(|| item["value"].as_str()).map(str::to_owned)
    };
    items.into_iter().flatten().filter_map(label).collect()
}
