//! Regions of what was detected.

use label_studio_sdk::Region;
use serde_json::json;

use super::{Detection, Prompt, label_for};
use crate::{Shape, ShapeTags, images::PercentBox};

/// Returns a rectangle for each thing found in an image of a size. A rectangle without label shows
/// its words as a note.
pub fn rectangles(
    tags: ShapeTags<'_>,
    prompt: &Prompt,
    found: &[Detection],
    size: (u32, u32),
) -> Vec<Region> {
    let entries = |found: &Detection| {
        let PercentBox {
            x,
            y,
            width,
            height,
        } = found.percent(size);
        let value = [
            ("rotation", json!(0)),
            ("x", json!(x)),
            ("y", json!(y)),
            ("width", json!(width)),
            ("height", json!(height)),
        ];
        let value = value.map(|(name, number)| (name.to_owned(), number));
        let label = label_for(tags.labels(), prompt, found);
        let mut regions = tags.regions(Shape {
            value: value.into_iter().collect(),
            label,
            image_size: size,
            score: found.score,
        });
        if label.is_none() && !found.words.is_empty() {
            for region in &mut regions {
                let note = json!({ "text": [found.words] });
                region.extra.insert("meta".to_owned(), note);
            }
        }
        regions
    };
    found.iter().flat_map(entries).collect()
}
