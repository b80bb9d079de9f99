//! From a detection to a label of the label config.

use label_studio_sdk::Control;

use super::{Detection, Prompt};

/// Returns the label of `control` for something found: the one typed behind the phrase, or the one
/// that the phrase, or else the words that the model is sure of, name; or the only label that there
/// is.
///
/// A label is named by its own text, by an entry of its attribute `predicted_values`, in either
/// case, and also where only an `s` at the end differs.
pub fn label_for<'a>(
    control: &'a Control,
    prompt: &'a Prompt,
    found: &Detection,
) -> Option<&'a str> {
    let phrase = found.phrase.and_then(|phrase| prompt.phrases.get(phrase));
    if let Some(label) = phrase.and_then(|phrase| phrase.label.as_deref())
        && let Some(own) = control.labels.iter().find(|own| *own == label)
    {
        return Some(own);
    }
    let text = phrase.map(|phrase| phrase.text.as_str());
    let mut texts = text.into_iter().chain([found.words.as_str()]);
    let label = texts.find_map(|text| named(control, text));
    label.or_else(|| match control.labels.as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

fn named<'a>(control: &'a Control, name: &str) -> Option<&'a str> {
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let lower = name.to_lowercase();
    let is_predicted = |label: &&String| {
        let values = control.labels_attrs.get(label.as_str());
        let values = values.and_then(|label| label.attrs.get("predicted_values"));
        let mut values = values.into_iter().flat_map(|values| values.split(','));
        values.any(|value| value.trim().to_lowercase() == lower)
    };
    let find = |is_it: &dyn Fn(&&String) -> bool| control.labels.iter().find(is_it);
    find(&|label| *label == name)
        .or_else(|| find(&is_predicted))
        .or_else(|| find(&|label| label.to_lowercase() == lower))
        .or_else(|| find(&|label| singular(&label.to_lowercase()) == singular(&lower)))
        .map(String::as_str)
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}
