//! Rows as they come out of a file, checked and without gaps.

use label_studio_ml::anyhow::{self, Context, ensure};

use crate::{
    cells::Cell,
    tags::Tags,
    times::{Key, Time, TimeColumn},
};

/// A row of a series.
#[derive(Debug)]
pub struct Row<'a> {
    /// Its time, as the file has it.
    pub time: Time,
    /// What its time is compared by.
    pub key: Key,
    /// The value of each channel. A gap has the last value before it; NaN where there is none.
    pub values: &'a [f32],
}

/// What is known of a file that was read.
#[derive(Debug)]
pub struct Facts {
    /// Rows.
    pub n_rows: u64,
    /// Cells without a number.
    pub n_gaps: u64,
    /// Its times.
    pub times: TimeColumn,
}

/// The columns to read.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    pub(super) time: Option<&'a str>,
    pub(super) channels: &'a [String],
    pub(super) separator: Option<u8>,
}

/// Takes rows one by one, and passes them on.
pub(super) struct Rows<'a> {
    wanted: Wanted<'a>,
    facts: Facts,
    /// The last number of each channel.
    values: Vec<f32>,
    sink: &'a mut dyn FnMut(Row<'_>) -> anyhow::Result<()>,
}

impl<'a> Wanted<'a> {
    /// Returns the names of all columns, that of the time first.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let channels = self.channels.iter().map(String::as_str);
        self.time.into_iter().chain(channels)
    }
}

impl<'a> Rows<'a> {
    pub(super) fn new(
        tags: &Tags<'a>,
        channels: &'a [String],
        sink: &'a mut dyn FnMut(Row<'_>) -> anyhow::Result<()>,
    ) -> Self {
        Self {
            wanted: Wanted {
                time: tags.time_column(),
                channels,
                separator: tags.separator(),
            },
            facts: Facts {
                n_rows: 0,
                n_gaps: 0,
                times: TimeColumn::new(tags.time_column(), tags.time_format()),
            },
            values: vec![f32::NAN; channels.len()],
            sink,
        }
    }

    pub(super) fn wanted(&self) -> &Wanted<'a> {
        &self.wanted
    }

    /// Takes the cells of a row: its time, if there is a column for it, and its channels. `place` is
    /// the line of the file, or the number of the row.
    pub(super) fn push<'c>(
        &mut self,
        mut cells: impl Iterator<Item = Cell<'c>>,
        place: u64,
    ) -> anyhow::Result<()> {
        let mut next = || cells.next().unwrap_or(Cell::Missing);
        let time = self.wanted.time.map(|_| next());
        for (last, name) in self.values.iter_mut().zip(self.wanted.channels) {
            let cell = next();
            let value = cell
                .value()
                .with_context(|| not_a_number(cell, name, place))?;
            if value.is_nan() {
                self.facts.n_gaps += 1;
            } else {
                *last = value;
            }
        }
        let (time, key) = match time {
            Some(cell) => self.facts.times.read(cell, place)?,
            None => TimeColumn::number_row(self.facts.n_rows),
        };
        self.facts.n_rows += 1;
        (self.sink)(Row {
            time,
            key,
            values: &self.values,
        })
    }

    /// Ends the file.
    pub(super) fn finish(self) -> anyhow::Result<Facts> {
        if self.facts.n_rows > 0 {
            for (value, name) in self.values.iter().zip(self.wanted.channels) {
                ensure!(!value.is_nan(), "column {name:?} has no numbers");
            }
        }
        Ok(self.facts)
    }
}

fn not_a_number(cell: Cell<'_>, name: &str, place: u64) -> String {
    const MAX_CHARS: usize = 40;
    let found: String = match cell {
        Cell::Text(text) => text.trim().chars().take(MAX_CHARS).collect(),
        _ => String::new(),
    };
    format!("row {place} has {found:?} in column {name:?}, which is not a number")
}
