//! Attributes of an XML tag, in the order of the text.

use std::fmt;

use serde::{Serialize, Serializer};

/// Ends each name and each value; XML has no such character.
const END: char = '\0';

/// Attributes of a tag in the order of the text.
///
/// Names are compared as Label Studio's screen does, without regard to case. All of them are one text, since a label
/// config may have a hundred thousand labels.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Attributes(Box<str>);

impl Attributes {
    pub(super) fn of(node: roxmltree::Node<'_, '_>) -> Self {
        let mut text = String::new();
        for attribute in node.attributes() {
            if let Some(namespace) = attribute.namespace() {
                text.extend(["{", namespace, "}"]);
            }
            push(&mut text, attribute.name(), attribute.value());
        }
        Self(text.into())
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
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut parts = self.0.split_terminator(END);
        std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
    }

    pub(super) fn non_empty(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }
}

fn push(text: &mut String, name: &str, value: &str) {
    text.reserve_exact(name.len() + value.len() + 2);
    text.push_str(name);
    text.push(END);
    text.push_str(value);
    text.push(END);
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for Attributes {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(pairs: T) -> Self {
        let mut text = String::new();
        for (name, value) in pairs {
            let plain = |text: &str| text.replace(END, "");
            push(&mut text, &plain(name.as_ref()), &plain(value.as_ref()));
        }
        Self(text.into())
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}
