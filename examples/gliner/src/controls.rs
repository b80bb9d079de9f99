//! What the label config asks for.

use std::collections::BTreeSet;

use label_studio_ml::{Control, LabelConfig, Object, Region, json, sdk::LabelConfigError};

use crate::Found;

/// The `<Labels>` controls of the text that a project labels.
#[derive(Debug)]
pub struct Controls<'a> {
    /// The text.
    pub object: &'a Object,
    /// The controls, each of which is asked by itself.
    pub asked: Vec<Asked<'a>>,
}

/// A control, and what the model is asked for it.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The control.
    pub control: &'a Control,
    /// The names that the model gets, by the alphabet, each with the label that it stands for.
    names: Vec<(&'a str, &'a str)>,
}

impl<'a> Controls<'a> {
    /// Finds the first text with a `<Labels>` control, and all such controls on it.
    pub fn find(label_config: &'a LabelConfig) -> Result<Self, LabelConfigError> {
        let object = label_config.first_pair("Labels", "Text")?.object;
        let labels_it = |control: &&Control| {
            let is_labels = control.tag.eq_ignore_ascii_case("Labels");
            let mut objects = label_config.objects_of(control);
            is_labels && objects.any(|other| other.name == object.name)
        };
        let controls = label_config.controls().iter().filter(labels_it);
        Ok(Self {
            object,
            asked: controls.map(Asked::new).collect(),
        })
    }
}

impl<'a> Asked<'a> {
    /// Takes the names of a control: a label's `predicted_values`, else the label.
    fn new(control: &'a Control) -> Self {
        let mut names = Vec::new();
        let mut seen = BTreeSet::new();
        for (label, attributes) in &control.labels_attrs {
            let predicted = attributes.attrs.get("predicted_values").unwrap_or_default();
            let mut own: Vec<&str> = predicted
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .collect();
            if own.is_empty() {
                own.push(label);
            }
            own.retain(|name| seen.insert(*name));
            names.extend(own.into_iter().map(|name| (name, &**label)));
        }
        names.sort_unstable();
        Self { control, names }
    }

    /// Returns the names that the model gets.
    pub fn names(&self) -> Vec<&'a str> {
        self.names.iter().map(|(name, _)| *name).collect()
    }

    /// Returns which of the names stands for a label.
    pub(crate) fn number_of(&self, label: &str) -> Option<usize> {
        self.names.iter().position(|(_, own)| *own == label)
    }

    /// Makes the regions of what was found.
    pub fn regions(&self, object: &Object, found: &[Found]) -> Vec<Region> {
        let region = |found: &Found| {
            let (_, label) = self.names[found.label];
            let value = json!({
                "start": found.start,
                "end": found.end,
                "text": found.text,
                "labels": [label],
            });
            let mut region = self.control.region(value).with_score(rounded(found.score));
            region.to_name.clone_from(&object.name);
            region
        };
        found.iter().map(region).collect()
    }
}

/// Rounds a score to four decimals.
fn rounded(score: f64) -> f64 {
    (score * 1e4).round() / 1e4
}
