//! Regions of what was detected.

use label_studio_sdk::Region;
use serde_json::{Map, Value, json};

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

/// Returns rectangles as Label Studio stores them: cut at the image's edges, and with a list of
/// labels, even an empty one. It refuses predictions with others; an answer to a prompt that was just
/// typed is not checked.
pub fn as_stored(mut regions: Vec<Region>) -> Vec<Region> {
    regions.retain_mut(|region| {
        let Some(value) = region.value.as_object_mut() else {
            return true;
        };
        if region.kind.ends_with("labels") {
            let labels = value.entry(region.kind.clone());
            labels.or_insert_with(|| json!([]));
        }
        cut(value, "x", "width") && cut(value, "y", "height")
    });
    regions
}

/// Cuts one side of a rectangle in percent. Returns whether any of it is in the image.
fn cut(value: &mut Map<String, Value>, start: &str, length: &str) -> bool {
    let number = |name: &str| value.get(name).and_then(Value::as_f64);
    let (Some(from), Some(side)) = (number(start), number(length)) else {
        return true;
    };
    let to = from + side;
    if from < 0.0 || to > 100.0 {
        let (from, to) = (from.clamp(0.0, 100.0), to.clamp(0.0, 100.0));
        value.insert(start.to_owned(), json!(from));
        value.insert(length.to_owned(), json!(to - from));
        return to > from;
    }
    true
}
