//! The times of a file, read row by row.

use label_studio_ml::anyhow::{self, Context, bail, ensure};

use super::{
    format::{TimeFormat, read_iso},
    time::{Key, Time},
};
use crate::cells::{Cell, decimal, is_missing};

/// Reads the times of a file, which are all of one kind and must not go back.
#[derive(Debug)]
pub struct TimeColumn {
    /// `None` for row numbers.
    name: Option<String>,
    format: Option<(String, Option<TimeFormat>)>,
    /// What the first time was.
    kind: Option<Kind>,
    last: Option<(Key, u64)>,
    steps: Option<Steps>,
}

/// What the times of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Numbers,
    /// By the label config's `timeFormat`.
    Formatted,
    Iso,
    Texts,
}

/// Shortest and longest time between two rows.
#[derive(Debug, Clone, Copy)]
struct Steps {
    shortest: f64,
    longest: f64,
}

impl TimeColumn {
    /// Creates a reader of the times of a column; without one rows are numbered from 0.
    pub fn new(name: Option<&str>, format: Option<&str>) -> Self {
        Self {
            name: name.map(str::to_owned),
            format: format.map(|format| (format.to_owned(), TimeFormat::parse(format))),
            kind: None,
            last: None,
            steps: None,
        }
    }

    /// Returns the row number as a time.
    pub(crate) fn number_row(row: u64) -> (Time, Key) {
        let number = i64::try_from(row).unwrap_or(i64::MAX);
        (Time::Integer(number), Key::Integer(number))
    }

    /// Reads the time of a row, of which `place` is the line or the number.
    pub(crate) fn read(&mut self, cell: Cell<'_>, place: u64) -> anyhow::Result<(Time, Key)> {
        let parsed = self.parse(cell, place)?;
        let name = self.name.as_deref().unwrap_or_default();
        let (time, key) =
            parsed.with_context(|| format!("row {place} has no time in column {name:?}"))?;
        if let Some((last, last_place)) = &self.last {
            ensure!(
                key.compare(last).is_ge(),
                "the times in column {name:?} go back between rows {last_place} and {place}: sort \
                 the file by time, which Label Studio's editor needs, too"
            );
            if let (Some(last), Some(now)) = (last.number(), key.number()) {
                let step = now - last;
                let steps = self.steps.get_or_insert(Steps {
                    shortest: step,
                    longest: step,
                });
                steps.shortest = steps.shortest.min(step);
                steps.longest = steps.longest.max(step);
            }
        }
        self.last = Some((key.clone(), place));
        Ok((time, key))
    }

    /// Returns what annotations say that a time is, in this column; `None` when the two cannot be
    /// compared.
    pub(crate) fn key_of(&self, value: &label_studio_ml::Value) -> Option<Key> {
        match (self.kind, value.as_f64(), value.as_str()) {
            (None | Some(Kind::Numbers), Some(number), _) => Some(Key::Number(number)),
            (None | Some(Kind::Numbers), _, Some(text)) => decimal(text.trim()).map(Key::Number),
            // The editor counts milliseconds where a label config has a format.
            #[expect(clippy::cast_possible_truncation, reason = "the cast is within limits")]
            (Some(Kind::Formatted), Some(number), _) => {
                Some(Key::Integer((number * 1000.0).round() as i64))
            }
            (Some(kind), None, Some(text)) => match (kind, &self.format) {
                (Kind::Formatted, Some((_, Some(format)))) => {
                    format.read(text.trim()).map(Key::Integer)
                }
                (Kind::Iso, _) => read_iso(text.trim()).map(Key::Integer),
                _ => Some(Key::Text(text.trim().into())),
            },
            _ => None,
        }
    }

    /// Returns the shortest and the longest time between two rows if they are very different.
    pub(crate) fn irregular_steps(&self) -> Option<(f64, f64)> {
        let Steps { shortest, longest } = self.steps?;
        (longest > 1.5 * shortest).then_some((shortest, longest))
    }

    fn parse(&mut self, cell: Cell<'_>, place: u64) -> anyhow::Result<Option<(Time, Key)>> {
        let text;
        let text = match cell {
            Cell::Missing => return Ok(None),
            Cell::Integer(number) if self.format.is_none() => {
                return self.number(Time::Integer(number), place).map(Some);
            }
            Cell::Number(number) if self.format.is_none() => {
                if !number.is_finite() {
                    return Ok(None);
                }
                return self.number(Time::Number(number), place).map(Some);
            }
            Cell::Integer(number) => {
                text = number.to_string();
                text.as_str()
            }
            Cell::Number(number) => {
                text = number.to_string();
                text.as_str()
            }
            Cell::Text(text) => text.trim(),
        };
        if is_missing(text) {
            return Ok(None);
        }
        if self.format.is_none() {
            if let Ok(number) = text.parse() {
                return self.number(Time::Integer(number), place).map(Some);
            }
            if let Some(number) = decimal(text) {
                if !number.is_finite() {
                    return Ok(None);
                }
                return self.number(Time::Number(number), place).map(Some);
            }
        }
        let first = self.first_kind(text);
        let kind = *self.kind.get_or_insert(first);
        let key = match (kind, &self.format) {
            (Kind::Formatted, Some((pattern, Some(format)))) => {
                let key = format.read(text).with_context(|| {
                    format!(
                        "row {place} has the time {text:?}, which the timeFormat {pattern:?} does \
                         not fit"
                    )
                })?;
                Key::Integer(key)
            }
            (Kind::Iso, _) => Key::Integer(
                read_iso(text).with_context(|| self.other_kind(text, place, "a date"))?,
            ),
            (Kind::Numbers, _) => bail!(self.other_kind(text, place, "a number")),
            _ => Key::Text(text.into()),
        };
        Ok(Some((Time::Text(text.into()), key)))
    }

    fn first_kind(&self, text: &str) -> Kind {
        match &self.format {
            Some((_, Some(_))) => Kind::Formatted,
            None if read_iso(text).is_some() => Kind::Iso,
            _ => Kind::Texts,
        }
    }

    fn number(&mut self, time: Time, place: u64) -> anyhow::Result<(Time, Key)> {
        let key = match &time {
            Time::Integer(number) => Key::Integer(*number),
            Time::Number(number) => Key::Number(*number),
            Time::Text(text) => Key::Text(text.clone()),
        };
        match *self.kind.get_or_insert(Kind::Numbers) {
            Kind::Numbers => Ok((time, key)),
            Kind::Texts => bail!(self.other_kind("a number", place, "a text")),
            _ => bail!(self.other_kind("a number", place, "a date")),
        }
    }

    fn other_kind(&self, found: &str, place: u64, expected: &str) -> String {
        let name = self.name.as_deref().unwrap_or_default();
        format!("row {place} of column {name:?} has {found:?} where {expected} is expected")
    }
}
