//! A text with its spans marked.

use label_studio_sdk::Region;
use serde_json::Value;

use super::html::{colour, escaped, label};

/// Returns a text with the spans that do not overlap an earlier one marked, and notes which regions these are.
pub(super) fn marked(text: &str, regions: Vec<(&Region, &mut bool)>) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut spans: Vec<_> = regions
        .into_iter()
        .filter_map(|(region, is_drawn)| {
            let offset = |name: &str| {
                let offset = region.value.get(name).and_then(Value::as_u64)?;
                usize::try_from(offset).ok()
            };
            let (start, end) = (offset("start")?, offset("end")?.min(letters.len()));
            (start < end).then_some((start, end, region, is_drawn))
        })
        .collect();
    spans.sort_by_key(|(start, end, ..)| (*start, std::cmp::Reverse(*end)));
    let part = |start: usize, end: usize| escaped(&letters[start..end].iter().collect::<String>());
    let (mut html, mut at) = (String::from("<pre>"), 0);
    for (start, end, region, is_drawn) in spans {
        if start < at {
            continue;
        }
        *is_drawn = true;
        let label = label(region);
        html += &part(at, start);
        html.extend([format!(
            "<mark style=\"background:{}\">{}<sub>{}</sub></mark>",
            colour(&label, 0.3),
            part(start, end),
            escaped(&label)
        )]);
        at = end;
    }
    html + &part(at, letters.len()) + "</pre>"
}
