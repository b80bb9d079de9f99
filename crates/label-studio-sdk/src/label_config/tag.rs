//! Either kind of named tag.

use super::{Attributes, Control, Object};

/// A named tag of a label config.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag<'a> {
    /// A tag that shows something.
    Object(&'a Object),
    /// A tag that makes regions.
    Control(&'a Control),
}

impl<'a> Tag<'a> {
    /// Returns the name that others refer to.
    pub fn name(self) -> &'a str {
        match self {
            Self::Object(object) => &object.name,
            Self::Control(control) => &control.name,
        }
    }

    /// Returns the kind of the tag.
    pub fn tag(self) -> &'a str {
        match self {
            Self::Object(object) => &object.tag,
            Self::Control(control) => &control.tag,
        }
    }

    /// Returns all attributes.
    pub fn attrs(self) -> &'a Attributes {
        match self {
            Self::Object(object) => &object.attrs,
            Self::Control(control) => &control.attrs,
        }
    }

    /// Returns the name of the SDK's class for the tag.
    pub fn class(self) -> &'static str {
        match self {
            Self::Object(object) => object.class(),
            Self::Control(control) => control.class(),
        }
    }

    /// Returns whether the tag is of an SDK class or of one derived from it: `BrushLabelsTag` and `MagicWandTag` are
    /// `BrushTag`s, `BitmaskLabelsTag` is a `BitmaskTag`, and all are `ControlTag` or `ObjectTag`.
    pub fn is_a(self, class: &str) -> bool {
        let own = self.class();
        let base = match self {
            Self::Object(_) => "ObjectTag",
            Self::Control(_) => "ControlTag",
        };
        let parent = DERIVED
            .iter()
            .find(|(derived, _)| *derived == own)
            .map(|(_, parent)| *parent);
        own == class || base == class || parent == Some(class)
    }
}

const DERIVED: [(&str, &str); 3] = [
    ("BrushLabelsTag", "BrushTag"),
    ("MagicWandTag", "BrushTag"),
    ("BitmaskLabelsTag", "BitmaskTag"),
];
