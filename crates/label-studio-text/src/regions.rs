//! Parts of a text that a model found, as regions of a project.

use std::collections::HashMap;

use label_studio_sdk::{Control, LabelConfig, LabelConfigError, Object, Region};
use serde_json::json;

/// A labelled part of a text that a model found.
#[derive(Debug, Clone, PartialEq)]
pub struct Entity {
    /// The model's name of its label.
    pub label: String,
    /// First character.
    pub start: usize,
    /// Character behind the last one.
    pub end: usize,
    /// Probability, from 0 to 1.
    pub score: f64,
}

/// What becomes of entities whose label a project does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownLabels {
    /// They are left out.
    #[default]
    Drop,
    /// They keep the model's label, on the first control.
    Keep,
}

/// The `<Labels>` controls of the text that a project labels.
#[derive(Debug)]
pub struct TextLabels<'a> {
    /// The text.
    pub object: &'a Object,
    controls: Vec<&'a Control>,
}

impl<'a> TextLabels<'a> {
    /// Finds the first text with a `<Labels>` control, and all such controls on it.
    pub fn find(label_config: &'a LabelConfig) -> Result<Self, LabelConfigError> {
        let object = label_config.first_pair("Labels", "Text")?.object;
        let labels_it = |control: &&Control| {
            let is_labels = control.tag.eq_ignore_ascii_case("Labels");
            let mut objects = label_config.objects_of(control);
            is_labels && objects.any(|other| other.name == object.name)
        };
        let controls = label_config.controls().iter().filter(labels_it).collect();
        Ok(Self { object, controls })
    }

    /// Makes the regions of entities that were found in a text: each on the control that has its
    /// label, by the label's text or its `predicted_values`. `names` are all labels that the model
    /// knows.
    ///
    /// Entities that end behind the text are left out.
    pub fn regions(
        &self,
        names: &[&str],
        text: &str,
        entities: &[Entity],
        unknown: UnknownLabels,
    ) -> Vec<Region> {
        if entities.is_empty() {
            return Vec::new();
        }
        let mut chosen: HashMap<String, (&Control, String)> = HashMap::new();
        for control in self.controls.iter().rev() {
            for (name, label) in control.label_map(names) {
                chosen.insert(name, (control, label));
            }
        }
        let starts: Vec<usize> = text.char_indices().map(|(start, _)| start).collect();
        let byte = |character: usize| match starts.get(character) {
            Some(start) => Some(*start),
            None => (character == starts.len()).then_some(text.len()),
        };
        let region = |entity: &Entity| {
            let (control, label) = match (chosen.get(&entity.label), unknown) {
                (Some((control, label)), _) => (*control, label.as_str()),
                (None, UnknownLabels::Keep) => (self.controls[0], entity.label.as_str()),
                (None, UnknownLabels::Drop) => return None,
            };
            let part = text.get(byte(entity.start)?..byte(entity.end)?)?;
            let value = json!({
                "start": entity.start, "end": entity.end, "text": part, "labels": [label],
            });
            let mut region = control.region(value).with_score(entity.score);
            region.to_name.clone_from(&self.object.name);
            Some(region)
        };
        entities.iter().filter_map(region).collect()
    }
}
