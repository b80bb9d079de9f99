//! Which label a class of the network gets.

use std::collections::BTreeMap;

use label_studio_ml::Control;

/// Maps classes to the labels of a control tag: what `predicted_values` lists, over what a labels file says, over equal
/// names in any case.
///
/// Names match for labels whose `predicted_values` name no class; of two labels that want one class the later gets it.
/// Labels that the control tag does not have are left out.
pub fn label_map(
    control: &Control,
    classes: &[String],
    labels_file: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut map = labels_file.clone();
    map.retain(|_, label| control.labels_attrs.contains_key(label.as_str()));
    let mut by_name = Vec::new();
    // A label without a text cannot be given.
    let labels = control
        .labels_attrs
        .iter()
        .filter(|(label, _)| !label.is_empty());
    for (label, tag) in labels {
        let predicted = tag.attrs.get("predicted_values").unwrap_or_default();
        let predicted = predicted.split(',').map(str::trim);
        let mut knows_one = false;
        for class in predicted.filter(|name| !name.is_empty()) {
            if classes.iter().any(|known| known == class) {
                knows_one = true;
            } else {
                tracing::warn!(
                    control = control.name,
                    label = &**label,
                    class,
                    "the model has no such class as predicted_values names"
                );
            }
            map.insert(class.to_owned(), label.to_string());
        }
        if !knows_one {
            by_name.push(label);
        }
    }
    let mut of_names = BTreeMap::new();
    for label in by_name {
        let lower_case = label.to_lowercase();
        let same = classes
            .iter()
            .find(|class| class.to_lowercase() == lower_case);
        if let Some(class) = same {
            of_names.insert(class.clone(), label.to_string());
        }
    }
    of_names.append(&mut map);
    of_names
}
