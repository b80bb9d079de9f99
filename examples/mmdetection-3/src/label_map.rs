//! Which label a class of the network gets.

use std::collections::BTreeMap;

use label_studio_ml::Control;

/// Maps classes to the labels of a control tag: what `predicted_values` lists or else equal
/// names in any case, over what a labels file says. Labels that the control tag does not have are left out.
pub fn label_map(
    control: &Control,
    classes: &[String],
    labels_file: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let names: Vec<_> = classes.iter().map(String::as_str).collect();
    let mut map = labels_file.clone();
    map.extend(control.label_map(&names));
    map.retain(|_, label| control.labels_attrs.contains_key(label));
    for (label, tag) in &control.labels_attrs {
        let predicted = tag.attrs.get("predicted_values").unwrap_or_default();
        let predicted = predicted.split(',').map(str::trim);
        for unknown in predicted.filter(|name| !name.is_empty() && !names.contains(name)) {
            tracing::warn!(
                control = control.name,
                label,
                class = unknown,
                "the model has no such class as predicted_values names"
            );
        }
    }
    map
}
