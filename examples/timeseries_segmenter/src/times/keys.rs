//! The times of all rows of a file, to find those of a range.

use std::{cmp::Ordering, ops::Range};

use super::time::{Key, rounded};

/// The times of the rows of a file, in ascending order.
#[derive(Debug, Clone, PartialEq)]
pub enum TimeKeys {
    /// Whole numbers.
    Integers(Vec<i64>),
    /// Numbers.
    Numbers(Vec<f64>),
    /// Texts.
    Texts(Vec<Box<str>>),
}

impl Default for TimeKeys {
    fn default() -> Self {
        Self::Integers(Vec::new())
    }
}

impl TimeKeys {
    /// Adds the time of the next row.
    pub fn push(&mut self, key: Key) {
        match (&mut *self, key) {
            (Self::Integers(keys), Key::Integer(key)) => keys.push(key),
            (Self::Integers(keys), Key::Number(key)) => {
                let numbers = keys.iter().map(|key| rounded(*key)).chain([key]);
                *self = Self::Numbers(numbers.collect());
            }
            (Self::Numbers(keys), key) => keys.push(key.number().unwrap_or(f64::NAN)),
            (Self::Texts(keys), Key::Text(key)) => keys.push(key),
            (_, Key::Text(key)) => *self = Self::Texts(vec![key]),
            (Self::Texts(_), _) => {}
        }
    }

    /// Returns how many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(keys) => keys.len(),
            Self::Numbers(keys) => keys.len(),
            Self::Texts(keys) => keys.len(),
        }
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the rows from a time to another one, both included; `None` when they cannot be
    /// compared. For whole numbers the whole part of both counts.
    pub fn between(&self, start: &Key, end: &Key) -> Option<Range<usize>> {
        let (first, behind) = match self {
            Self::Integers(keys) => {
                let (start, end) = (whole(start)?, whole(end)?);
                (
                    keys.partition_point(|key| integer_is(*key, &start) == Ordering::Less),
                    keys.partition_point(|key| integer_is(*key, &end) != Ordering::Greater),
                )
            }
            Self::Numbers(keys) => {
                let (start, end) = (start.number()?, end.number()?);
                (
                    keys.partition_point(|key| *key < start),
                    keys.partition_point(|key| *key <= end),
                )
            }
            Self::Texts(keys) => {
                let (Key::Text(start), Key::Text(end)) = (start, end) else {
                    return None;
                };
                (
                    keys.partition_point(|key| key < start),
                    keys.partition_point(|key| key <= end),
                )
            }
        };
        Some(first..behind.max(first))
    }
}

fn whole(key: &Key) -> Option<Key> {
    match key {
        Key::Number(number) if number.is_finite() => Some(Key::Number(number.trunc())),
        Key::Integer(_) => Some(key.clone()),
        _ => None,
    }
}

/// Compares a whole number with one that may have been rounded on its way through the editor.
fn integer_is(key: i64, other: &Key) -> Ordering {
    match other {
        Key::Integer(other) => key.cmp(other),
        Key::Number(other) => rounded(key).total_cmp(other),
        Key::Text(_) => Ordering::Equal,
    }
}
