//! What Label Studio gets to see.

use label_studio_sdk::{Pair, Region};
use serde_json::json;

use super::{Detection, Prompt, label_for};
use crate::images::PercentBox;

/// Returns a rectangle for each thing found in an image of a size. A rectangle without label shows its words as a note.
pub fn rectangles(
    output: Pair<'_>,
    prompt: &Prompt,
    found: &[Detection],
    size: (u32, u32),
) -> Vec<Region> {
    let Pair { control, object } = output;
    let rectangle = |found: &Detection| {
        let PercentBox {
            x,
            y,
            width,
            height,
        } = found.percent(size);
        let mut value = json!({ "rotation": 0, "x": x, "y": y, "width": width, "height": height });
        let label = label_for(control, prompt, found);
        if let Some(label) = label {
            value[control.kind()] = json!([label]);
        }
        let mut region = Region::new(&control.name, &object.name, control.kind(), value)
            .with_new_id()
            .with_image_size(size.0, size.1)
            .with_score(found.score);
        if label.is_none() && !found.words.is_empty() {
            let note = json!({ "text": [found.words] });
            region.extra.insert("meta".to_owned(), note);
        }
        region
    };
    found.iter().map(rectangle).collect()
}
