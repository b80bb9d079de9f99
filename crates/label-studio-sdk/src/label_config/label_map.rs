//! Which label of a control a model's own class names mean.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::Control;

impl Control {
    /// Maps the names that a model knows to the labels of the control.
    ///
    /// A label takes the names that its attribute `predicted_values` lists, separated by commas. If the model knows none
    /// of them, it takes the name equal to itself, or else the first one that differs from it in case only. Where two
    /// labels take one name the later label wins.
    pub fn label_map(&self, model_names: &[&str]) -> IndexMap<String, String> {
        let known: HashSet<&str> = model_names.iter().copied().collect();
        let mut by_lower_case = HashMap::new();
        for name in model_names {
            by_lower_case.entry(name.to_lowercase()).or_insert(*name);
        }
        let mut map = IndexMap::new();
        for (label, attributes) in &self.labels_attrs {
            let predicted = attributes.attrs.get("predicted_values").unwrap_or_default();
            let mut names: Vec<&str> = predicted
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty() && known.contains(name))
                .collect();
            if names.is_empty() {
                let exact = known.get(&**label).copied();
                names.extend(exact.or_else(|| by_lower_case.get(&label.to_lowercase()).copied()));
            }
            map.extend(
                names
                    .into_iter()
                    .map(|name| (name.to_owned(), label.to_string())),
            );
        }
        map
    }
}
