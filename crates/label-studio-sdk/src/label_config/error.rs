//! Why a label config cannot be used.

use std::sync::Arc;

/// Why a label config cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum LabelConfigError {
    /// The text is not well-formed XML, or declares entities.
    #[error("label config is not valid XML")]
    Xml(#[from] roxmltree::Error),
    /// The text exceeds one of the limits on its size.
    #[error("label config has more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much of it is allowed.
        limit: usize,
    },
    /// A control tag of the wanted kind is missing, or labels another kind of object.
    #[error("label config has no <{control}> control on a <{object}> object")]
    MissingPair {
        /// Wanted control tag.
        control: String,
        /// Wanted object tag.
        object: String,
    },
    /// No tag has the name.
    #[error("label config has no {what} named {name:?}, only {known:?}")]
    UnknownName {
        /// What was looked for: a tag, control or object.
        what: &'static str,
        /// The name that was looked for.
        name: String,
        /// The names that there are, the first few of them.
        known: Vec<String>,
    },
    /// The only control or object was asked for, and there is another number of them.
    #[error("label config has {count} {what}s where exactly one is expected")]
    NotExactlyOne {
        /// What was looked for: a control or object.
        what: &'static str,
        /// How many there are.
        count: usize,
    },
    /// A region was to carry labels that its control does not offer.
    #[error("control {control:?} has no label {labels:?}, only {possible:?}")]
    UndefinedLabels {
        /// Name of the control tag.
        control: String,
        /// The labels that the control does not offer, the first few of them.
        labels: Vec<String>,
        /// The labels that the control offers, the first few of them.
        possible: Vec<String>,
    },
    /// A region was to point at an object that its control does not label, or that does not exist.
    #[error("control {control:?} labels no object {to_name:?}")]
    UnconnectedObject {
        /// Name of the control tag.
        control: String,
        /// Name of the object.
        to_name: String,
    },
    /// The fields of a region's value do not fit its control.
    #[error("value does not fit control {control:?} of type {kind:?}")]
    InvalidValue {
        /// Name of the control tag.
        control: String,
        /// Lower-cased kind of the control tag.
        kind: String,
        /// What is wrong with the value.
        source: Arc<serde_json::Error>,
    },
}

/// Keeps a message short.
pub(super) fn first_names<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.take(MAX_NAMES).map(str::to_owned).collect()
}

/// Names that an error holds.
const MAX_NAMES: usize = 20;
