//! Object tags: what is shown and labelled.

use serde_json::{Map, Value};

use super::Attributes;
use crate::value_path::value_at;

/// A tag that shows a part of the task, such as `Text` or `Image`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Name that controls refer to.
    pub name: String,
    /// Kind of the tag, such as `Image`.
    pub tag: String,
    /// What the tag shows as the label config has it: usually `$` and a name in the task's data.
    pub value: Option<String>,
    /// `value` without its leading `$`: the name in the task's data, or a path such as `meta.title`, if `is_variable`.
    pub value_name: String,
    /// Whether `value` is a `$` followed by a name without commas and spaces.
    pub is_variable: bool,
    /// How the data is to be read: `url` means that it holds an address.
    pub value_type: Option<String>,
    /// Whether the tag is an `Image` that shows a list of images.
    pub is_image_list: bool,
    /// All attributes of the tag.
    pub attrs: Attributes,
    /// The tags directly inside, such as the `Channel`s of a `TimeSeries`.
    pub children: Vec<ChildTag>,
    /// What a loaded task has under `value_name`; `None` unless made by [`LabelConfig::load_task`].
    ///
    /// [`LabelConfig::load_task`]: crate::LabelConfig::load_task
    pub task_value: Option<Value>,
}

/// A tag inside an object tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildTag {
    /// Kind of the tag.
    pub tag: String,
    /// All attributes of the tag.
    pub attrs: Attributes,
}

impl Object {
    pub(super) fn new(tag: &str, name: &str, attrs: Attributes, children: Vec<ChildTag>) -> Self {
        let value = attrs.non_empty("valueList").or_else(|| attrs.get("value"));
        let value = value.map(str::to_owned);
        let variable = value.as_deref().and_then(|value| value.strip_prefix('$'));
        Self {
            name: name.into(),
            tag: tag.into(),
            value_name: variable.or(value.as_deref()).unwrap_or_default().into(),
            is_variable: variable
                .is_some_and(|name| !name.is_empty() && !name.contains([',', ' '])),
            value_type: attrs.non_empty("valueType").map(str::to_owned),
            is_image_list: tag.eq_ignore_ascii_case("image")
                && attrs.non_empty("valueList").is_some(),
            value,
            attrs,
            children,
            task_value: None,
        }
    }

    /// Returns the name in the task's data that the tag shows, unless its value is a constant or a mixed text.
    pub fn variable(&self) -> Option<&str> {
        self.is_variable.then_some(&*self.value_name)
    }

    /// Returns what the tag shows of a task's data. A name such as `meta.title` or `items[0].text` leads into objects and
    /// lists.
    pub fn value_in<'a>(&self, data: &'a Map<String, Value>) -> Option<&'a Value> {
        value_at(data, self.variable()?)
    }

    /// Returns an attribute that is not blank, under its name or its lower-case form.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attrs.get_filled(name)
    }

    /// Returns the name of the SDK's class for the tag; `ObjectTag` where it has none.
    pub fn class(&self) -> &'static str {
        let class = CLASSES.iter().find(|class| {
            let kind = class.strip_suffix("Tag");
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case(&self.tag))
        });
        class.unwrap_or(&"ObjectTag")
    }
}

const CLASSES: [&str; 10] = [
    "AudioTag",
    "ChatTag",
    "HyperTextTag",
    "ImageTag",
    "ListTag",
    "ParagraphsTag",
    "TableTag",
    "TextTag",
    "TimeSeriesTag",
    "VideoTag",
];
