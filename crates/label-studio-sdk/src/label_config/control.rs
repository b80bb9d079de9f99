//! Control tags: what annotators and models mark with.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

use super::Attributes;
use crate::{
    Region,
    values::{ImageSize, ImageValue, ValueKind},
};

/// A tag that makes regions, such as `Choices` or `RectangleLabels`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Name that regions refer to.
    pub name: String,
    /// Kind of the tag, such as `RectangleLabels`.
    pub tag: String,
    /// Names of the object tags that it labels, whether they exist or not.
    pub to_name: Vec<String>,
    /// Texts of its labels, in document order and without duplicates.
    pub labels: Vec<String>,
    /// Its labels by text.
    pub labels_attrs: IndexMap<Arc<str>, Label>,
    /// All attributes of the tag.
    pub attrs: Attributes,
    /// Positions of the labelled objects in [`LabelConfig::objects`].
    ///
    /// [`LabelConfig::objects`]: crate::LabelConfig::objects
    pub objects: Vec<usize>,
    /// Whether the labels come from the task or from a service instead of from the label config.
    pub is_dynamic: bool,
    /// What must be selected for the control to appear.
    pub conditional: Option<Conditional>,
    /// The index flags of `Repeater` tags in `to_name`, and what stands in their place: `.*`.
    pub regex: IndexMap<String, String>,
}

/// A label or choice that a control offers.
///
/// The labels of a control share their texts: there may be a hundred thousand of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Kind of the tag: `Label`, `Choice` or `Relation`.
    pub tag: Arc<str>,
    /// All attributes of the tag.
    pub attrs: Attributes,
    /// Text that regions carry: the alias if there is one, else the value.
    pub value: Arc<str>,
    /// Name of the control tag.
    pub parent_name: Arc<str>,
}

impl Serialize for Label {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("tag", &*self.tag)?;
        map.serialize_entry("attr", &self.attrs)?;
        map.serialize_entry("value", &*self.value)?;
        map.serialize_entry("parent_name", &*self.parent_name)?;
        map.end()
    }
}

/// What must be selected for a per-region control to appear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conditional {
    /// Kind of thing that must be selected.
    #[serde(rename = "type")]
    pub kind: ConditionalKind,
    /// Its name.
    pub name: String,
}

/// Kind of thing that makes a per-region control appear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConditionalKind {
    /// A region of a certain control tag.
    Tag,
    /// A region with a certain label.
    Label,
    /// A certain choice.
    Choice,
}

impl Control {
    pub(super) fn new(tag: &str, name: &str, to_name: Vec<String>, attrs: Attributes) -> Self {
        Self {
            name: name.into(),
            tag: tag.into(),
            to_name,
            labels: Vec::new(),
            labels_attrs: IndexMap::new(),
            objects: Vec::new(),
            is_dynamic: attrs
                .get("value")
                .is_some_and(|value| value.starts_with('$'))
                || attrs.non_empty("apiUrl").is_some(),
            conditional: Conditional::of(&attrs),
            regex: IndexMap::new(),
            attrs,
        }
    }

    /// Returns the type of the control's regions: its lower-cased tag.
    pub fn kind(&self) -> String {
        self.tag.to_lowercase()
    }

    /// Makes a region without id on the control's first object, or on the control itself where Label Studio wants that.
    /// Nothing is checked: [`Control::label`] does.
    ///
    /// The value is JSON or one of the types of [`values`](crate::values).
    pub fn region(&self, value: impl Into<Value>) -> Region {
        Region::new(&self.name, self.default_to_name(), self.kind(), value)
    }

    /// Makes a region that marks a part of an image, complete with the size of the image, which Label Studio's exports need.
    /// It has no id, and nothing is checked.
    pub fn image_region(&self, value: impl ImageValue, size: ImageSize) -> Region {
        self.region(value).with_image_size(size.width, size.height)
    }

    /// Returns an attribute that is not blank, under its name or its lower-case form.
    pub fn attr(&self, name: &str) -> Option<&str> {
        self.attrs.get_filled(name)
    }

    /// Returns what the control makes, if the SDK knows the tag.
    pub fn value_kind(&self) -> Option<ValueKind> {
        ValueKind::of(&self.tag)
    }

    /// Returns the name of the SDK's class for the tag; `ControlTag` where it has none.
    pub fn class(&self) -> &'static str {
        match self.value_kind() {
            Some(kind) => kind.class(),
            None if self.tag.eq_ignore_ascii_case("Relations") => "RelationsTag",
            None => "ControlTag",
        }
    }

    /// Returns name, objects and kind in the form of Label Studio's summaries: `name|object,object|kind`.
    pub fn as_tuple(&self) -> String {
        format!("{}|{}|{}", self.name, self.to_name.join(","), self.kind())
    }

    pub(super) fn default_to_name(&self) -> &str {
        match self.value_kind() {
            Some(kind) if kind.labels_itself() => &self.name,
            _ => self.to_name.first().map_or("", String::as_str),
        }
    }
}

impl Conditional {
    pub(super) fn of(attrs: &Attributes) -> Option<Self> {
        if attrs.get("perRegion") != Some("true") {
            return None;
        }
        CONDITIONALS.iter().find_map(|(attribute, kind)| {
            let name = attrs.non_empty(attribute)?.into();
            Some(Self { kind: *kind, name })
        })
    }
}

/// The attributes that name a condition; the first one present counts.
const CONDITIONALS: [(&str, ConditionalKind); 3] = [
    ("whenTagName", ConditionalKind::Tag),
    ("whenLabelValue", ConditionalKind::Label),
    ("whenChoiceValue", ConditionalKind::Choice),
];
