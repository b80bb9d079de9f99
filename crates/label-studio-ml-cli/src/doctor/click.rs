//! A synthetic interactive call: the region that Label Studio sends when a user has just drawn it.

use label_studio_sdk::{Control, LabelConfig, Object, Task};
use serde_json::{Value, json};

/// A region as a user would draw it.
#[derive(Debug)]
pub(super) struct Click {
    /// The region in words.
    pub(super) description: String,
    /// What Label Studio sends as `params.context`.
    pub(super) context: Value,
}

impl Click {
    /// Draws with the first control of the label config that an interactive backend answers to: a smart key point or
    /// rectangle on an image, or a label on the first word of a text. `None` when there is none, or no text to label.
    pub(super) fn of(label_config: &LabelConfig, task: &Task) -> Option<Self> {
        label_config.controls().iter().find_map(|control| {
            let object = label_config.objects().get(*control.objects.first()?)?;
            Self::with(control, object, task)
        })
    }

    fn with(control: &Control, object: &Object, task: &Task) -> Option<Self> {
        let is_image = object.tag.eq_ignore_ascii_case("Image");
        let is_text = object.tag.eq_ignore_ascii_case("Text") && object.value_type.is_none();
        let label = control.labels.first();
        let (what, mut value) = match control.kind().as_str() {
            "keypointlabels" | "keypoint" if is_image && is_smart(control) => (
                "a click into the middle",
                json!({ "x": 50, "y": 50, "width": 0.5 }),
            ),
            "rectanglelabels" | "rectangle" if is_image && is_smart(control) => (
                "a rectangle around the middle",
                json!({ "x": 25, "y": 25, "width": 50, "height": 50, "rotation": 0 }),
            ),
            "labels" if is_text => {
                let text = object.value_in(&task.data)?.as_str()?;
                ("the first word", first_word(text)?)
            }
            _ => return None,
        };
        if control.kind().ends_with("labels") {
            value[control.kind()] = json!([label?]);
        }
        let mut region = json!({
            "id": "doctor",
            "from_name": control.name,
            "to_name": object.name,
            "type": control.kind(),
            "origin": "manual",
            "value": value,
        });
        if is_image {
            region["original_width"] = json!(1000);
            region["original_height"] = json!(1000);
            region["image_rotation"] = json!(0);
            region["is_positive"] = json!(true);
        }
        if object.is_image_list {
            region["item_index"] = json!(0);
        }
        let name = &control.name;
        let description = format!("{what} with {name:?}");
        Some(Self {
            description,
            context: json!({ "result": [region] }),
        })
    }
}

/// Returns whether a region of the control makes Label Studio ask the backend, with any tool.
pub(super) fn is_smart(control: &Control) -> bool {
    ["smart", "smartOnly"].iter().any(|name| {
        control
            .attr(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    })
}

/// Returns the first word of a text, with its place in characters.
fn first_word(text: &str) -> Option<Value> {
    let word = text.split_whitespace().next()?;
    let start = text
        .chars()
        .take_while(|letter| letter.is_whitespace())
        .count();
    let end = start + word.chars().count();
    Some(json!({ "start": start, "end": end, "text": word }))
}
