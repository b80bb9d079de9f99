//! Kinds of tags to look for.

/// The kinds of tags that a look-up accepts, compared without regard to case.
#[derive(Debug, Clone, Copy)]
pub enum TagNames<'a> {
    /// Tags of one kind.
    One(&'a str),
    /// Tags of any of these kinds.
    AnyOf(&'a [&'a str]),
    /// Tags of every kind.
    All,
}

impl TagNames<'_> {
    /// Returns whether a tag is of an accepted kind.
    pub fn accept(self, tag: &str) -> bool {
        match self {
            Self::One(name) => name.eq_ignore_ascii_case(tag),
            Self::AnyOf(names) => names.iter().any(|name| name.eq_ignore_ascii_case(tag)),
            Self::All => true,
        }
    }

    pub(super) fn describe(self) -> String {
        match self {
            Self::One(name) => name.into(),
            Self::AnyOf(names) => names.join("> or <"),
            Self::All => "any".into(),
        }
    }
}

impl<'a> From<&'a str> for TagNames<'a> {
    fn from(name: &'a str) -> Self {
        Self::One(name)
    }
}

impl<'a> From<&'a [&'a str]> for TagNames<'a> {
    fn from(names: &'a [&'a str]) -> Self {
        Self::AnyOf(names)
    }
}

impl<'a, const N: usize> From<&'a [&'a str; N]> for TagNames<'a> {
    fn from(names: &'a [&'a str; N]) -> Self {
        Self::AnyOf(names)
    }
}
