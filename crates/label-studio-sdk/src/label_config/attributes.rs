//! Attributes of an XML tag, in the order of the text.

use serde::{Serialize, Serializer};

/// Attributes of a tag in the order of the text.
///
/// Names are compared as Label Studio's screen does, without regard to case.
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

    /// Returns the value of an attribute; that of exactly this name where several differ in case only.
    pub fn get(&self, name: &str) -> Option<&str> {
        let exact = self.iter().find(|(known, _)| *known == name);
        let found = exact.or_else(|| {
            let mut pairs = self.iter();
            pairs.find(|(known, _)| known.eq_ignore_ascii_case(name))
        });
        found.map(|(_, value)| value)
    }

    /// Returns the value of an attribute if it is not blank.
    pub fn get_filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.trim().is_empty())
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
