//! A time as a file has it, and what it is compared by.

use std::cmp::Ordering;

use label_studio_ml::Value;

/// A time as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Time {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A date, or another text.
    Text(Box<str>),
}

/// What times are compared by.
#[derive(Debug, Clone, PartialEq)]
pub enum Key {
    /// A whole number, or the microseconds since 1970 of a date.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A text that is not understood.
    Text(Box<str>),
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        match time {
            Time::Integer(number) => number.into(),
            Time::Number(number) => number.into(),
            Time::Text(text) => String::from(text).into(),
        }
    }
}

impl Time {
    /// Returns a whole number as one that need not be whole; other times as they are.
    #[must_use]
    pub fn into_number(self) -> Self {
        match self {
            Self::Integer(number) => Self::Number(rounded(number)),
            other => other,
        }
    }
}

impl Key {
    /// Compares with a time of the same column. Those that cannot be compared are equal.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => match (self.number(), other.number()) {
                (Some(one), Some(other)) => one.total_cmp(&other),
                _ => Ordering::Equal,
            },
        }
    }

    /// Returns the number that it is, unless it is a text.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(rounded(*number)),
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }
}

/// Returns a whole number as Label Studio's editor has it: in JavaScript, numbers above 2^53 are
/// rounded.
#[expect(clippy::cast_precision_loss, reason = "it is what the editor does")]
pub(crate) fn rounded(number: i64) -> f64 {
    number as f64
}
