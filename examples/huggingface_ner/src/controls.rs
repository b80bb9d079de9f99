//! Which control an entity belongs to.

use std::collections::HashMap;

use label_studio_ml::{Control, LabelConfig, Object, Region, json, sdk::LabelConfigError};

use crate::Found;

/// The `<Labels>` controls of the text that a project labels.
#[derive(Debug)]
pub struct Controls<'a> {
    /// The text.
    pub object: &'a Object,
    controls: Vec<&'a Control>,
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
        let controls = label_config.controls().iter().filter(labels_it).collect();
        Ok(Self { object, controls })
    }

    /// Returns whether one of the controls has this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.controls.iter().any(|control| control.name == name)
    }

    /// Makes the regions of entities: each on the control that has its label, by the label's text
    /// or its `predicted_values`. An entity whose name no label has keeps it, on the first control.
    pub fn regions(&self, label_config: &LabelConfig, entities: &[Found]) -> Vec<Region> {
        let mut names: Vec<&str> = entities.iter().map(|found| found.label.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut chosen: HashMap<&str, (&Control, String)> = HashMap::new();
        for control in self.controls.iter().rev() {
            for (name, label) in label_config.label_map(&control.name, &names) {
                if let Some(name) = names.iter().copied().find(|known| *known == name) {
                    chosen.insert(name, (control, label));
                }
            }
        }
        let region = |found: &Found| {
            let (control, label) = match chosen.get(found.label.as_str()) {
                Some((control, label)) => (*control, label.as_str()),
                None => (self.controls[0], found.label.as_str()),
            };
            let value = json!({ "start": found.start, "end": found.end, "labels": [label] });
            let mut region = control.region(value).with_score(found.score);
            region.to_name.clone_from(&self.object.name);
            region
        };
        entities.iter().map(region).collect()
    }
}
