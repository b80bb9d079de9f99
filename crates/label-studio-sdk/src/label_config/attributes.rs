//! Attributes of an XML tag, in the order of the text.

use serde::{Serialize, Serializer};

/// Attributes of a tag in the order of the text, with case-sensitive names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes(Box<[(Box<str>, Box<str>)]>);

impl Attributes {
    pub(super) fn of(node: roxmltree::Node<'_, '_>) -> Self {
        node.attributes()
            .map(|attribute| {
                let name = attribute.namespace().map_or_else(
                    || Box::<str>::from(attribute.name()),
                    |namespace| format!("{{{namespace}}}{}", attribute.name()).into_boxed_str(),
                );
                (name, Box::<str>::from(attribute.value()))
            })
            .collect()
    }

    /// Returns the value of the attribute of exactly this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Returns a value that is there and not blank, under the name or under its lower-case form.
    pub fn get_filled(&self, name: &str) -> Option<&str> {
        let value = self.get(name).or_else(|| self.get(&name.to_lowercase()))?;
        (!value.trim().is_empty()).then_some(value)
    }

    /// Returns names and values.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    pub(super) fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

impl<N: Into<Box<str>>, V: Into<Box<str>>> FromIterator<(N, V)> for Attributes {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
