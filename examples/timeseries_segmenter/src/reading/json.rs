//! JSON: a list per column, or a list of rows.

use std::{fmt, io::Read};

use label_studio_ml::{
    Value,
    anyhow::{self, Context, ensure},
    serde_json,
};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{
    names,
    rows::{Rows, Wanted},
};
use crate::cells::Cell;

/// Reads a file, of which only the columns that are wanted are kept.
pub(super) fn read_json(file: impl Read, rows: &mut Rows<'_>) -> anyhow::Result<()> {
    let mut json = serde_json::Deserializer::from_reader(file);
    let columns = Document(rows.wanted())
        .deserialize(&mut json)
        .context("the file cannot be read as JSON")?;
    json.end().context("the file goes on behind its JSON")?;
    columns.push_to(rows)
}

/// Reads the series that a task holds.
pub(super) fn read_value(value: &Value, rows: &mut Rows<'_>) -> anyhow::Result<()> {
    let columns = Document(rows.wanted())
        .deserialize(value)
        .context("the series of the task cannot be read")?;
    columns.push_to(rows)
}

/// The values of a column, as small as their kind allows.
#[derive(Debug, Clone, PartialEq)]
enum Cells {
    Integers(Vec<i64>),
    Numbers(Vec<f64>),
    Any(Vec<Owned>),
}

/// A cell that is kept.
#[derive(Debug, Clone, PartialEq)]
enum Owned {
    Missing,
    Integer(i64),
    Number(f64),
    Text(Box<str>),
}

/// A column with its name.
#[derive(Debug)]
struct Column {
    name: String,
    cells: Cells,
}

/// All columns that may be those that are wanted.
#[derive(Debug)]
struct Columns {
    found: Vec<Column>,
    /// Names of the others, the first ones only.
    others: Vec<String>,
}

impl Columns {
    fn push_to(self, rows: &mut Rows<'_>) -> anyhow::Result<()> {
        let found: Vec<String> = self
            .found
            .iter()
            .map(|column| column.name.clone())
            .collect();
        let place = |name| {
            names::find(name, &found)?.with_context(|| {
                names::missing(name, &[found.as_slice(), self.others.as_slice()].concat())
            })
        };
        let wanted: Vec<&str> = rows.wanted().names().collect();
        let places: Vec<usize> = wanted
            .iter()
            .map(|name| place(name))
            .collect::<anyhow::Result<_>>()?;
        let n_rows = places
            .first()
            .map_or(0, |place| self.found[*place].cells.len());
        for (name, place) in wanted.iter().zip(&places) {
            let n_own = self.found[*place].cells.len();
            ensure!(
                n_own == n_rows,
                "column {:?} has {n_rows} values, and column {name:?} has {n_own}",
                wanted[0]
            );
        }
        for row in 0..n_rows {
            let cells = places.iter().map(|place| self.found[*place].cells.get(row));
            rows.push(cells, row as u64 + 1)?;
        }
        Ok(())
    }

    /// Returns the column of a name, which is new or known; `None` when it is not wanted.
    fn column(&mut self, name: &str, wanted: &[String], n_before: usize) -> Option<&mut Column> {
        const MAX_OTHERS: usize = 20;
        if let Some(place) = self.found.iter().position(|column| column.name == name) {
            return Some(&mut self.found[place]);
        }
        if !wanted.contains(&names::simplified(name)) {
            if self.others.len() < MAX_OTHERS && !self.others.iter().any(|other| other == name) {
                self.others.push(name.to_owned());
            }
            return None;
        }
        self.found.push(Column {
            name: name.to_owned(),
            cells: Cells::missing(n_before),
        });
        self.found.last_mut()
    }
}

impl Cells {
    fn missing(n: usize) -> Self {
        if n == 0 {
            return Self::Integers(Vec::new());
        }
        Self::Any(vec![Owned::Missing; n])
    }

    fn len(&self) -> usize {
        match self {
            Self::Integers(cells) => cells.len(),
            Self::Numbers(cells) => cells.len(),
            Self::Any(cells) => cells.len(),
        }
    }

    fn get(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Integers(cells) => Cell::Integer(cells[row]),
            Self::Numbers(cells) => Cell::Number(cells[row]),
            Self::Any(cells) => match &cells[row] {
                Owned::Missing => Cell::Missing,
                Owned::Integer(number) => Cell::Integer(*number),
                Owned::Number(number) => Cell::Number(*number),
                Owned::Text(text) => Cell::Text(text),
            },
        }
    }

    fn push(&mut self, cell: Owned) {
        match (&mut *self, cell) {
            (Self::Integers(cells), Owned::Integer(number)) => cells.push(number),
            (Self::Integers(cells), Owned::Number(number)) if cells.is_empty() => {
                *self = Self::Numbers(vec![number]);
            }
            (Self::Numbers(cells), Owned::Number(number)) => cells.push(number),
            (Self::Any(cells), cell) => cells.push(cell),
            (_, cell) => {
                let known = (0..self.len()).map(|row| self.get(row).into());
                *self = Self::Any(known.chain([cell]).collect());
            }
        }
    }
}

impl From<Cell<'_>> for Owned {
    fn from(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Missing => Self::Missing,
            Cell::Integer(number) => Self::Integer(number),
            Cell::Number(number) => Self::Number(number),
            Cell::Text(text) => Self::Text(text.into()),
        }
    }
}

/// Reads a whole document.
struct Document<'a>(&'a Wanted<'a>);

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = Columns;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Columns, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = Columns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a list for each column, or a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Columns, A::Error> {
        let wanted: Vec<_> = self.0.names().map(names::simplified).collect();
        let mut columns = Columns {
            found: Vec::new(),
            others: Vec::new(),
        };
        while let Some(name) = map.next_key::<String>()? {
            match columns.column(&name, &wanted, 0) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(column) if column.cells.len() > 0 => {
                    return Err(A::Error::custom(format!("there are two columns {name:?}")));
                }
                Some(column) => map.next_value_seed(List(&mut column.cells))?,
            }
        }
        Ok(columns)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Columns, A::Error> {
        let wanted: Vec<_> = self.0.names().map(names::simplified).collect();
        let mut columns = Columns {
            found: Vec::new(),
            others: Vec::new(),
        };
        let mut n_rows = 0;
        while let Some(()) = seq.next_element_seed(Record {
            columns: &mut columns,
            wanted: &wanted,
            n_rows,
        })? {
            n_rows += 1;
            for column in &mut columns.found {
                if column.cells.len() < n_rows {
                    column.cells.push(Owned::Missing);
                }
            }
        }
        Ok(columns)
    }
}

/// Reads a row.
struct Record<'a> {
    columns: &'a mut Columns,
    wanted: &'a [String],
    /// Rows before it.
    n_rows: usize,
}

impl<'de> DeserializeSeed<'de> for Record<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the value of each column")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            match self.columns.column(&name, self.wanted, self.n_rows) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(column) if column.cells.len() > self.n_rows => {
                    return Err(A::Error::custom(format!("a row has two values {name:?}")));
                }
                Some(column) => {
                    let cell = map.next_value_seed(OneCell)?;
                    column.cells.push(cell);
                }
            }
        }
        Ok(())
    }
}

/// Reads the values of a column.
struct List<'a>(&'a mut Cells);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of the values of a column")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(cell) = seq.next_element_seed(OneCell)? {
            self.0.push(cell);
        }
        Ok(())
    }
}

/// Reads one value.
struct OneCell;

impl<'de> DeserializeSeed<'de> for OneCell {
    type Value = Owned;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Owned, D::Error> {
        json.deserialize_any(self)
    }
}

impl Visitor<'_> for OneCell {
    type Value = Owned;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text or null")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Owned, E> {
        Ok(Owned::Integer(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "it is beyond whole numbers")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Owned, E> {
        Ok(match i64::try_from(number) {
            Ok(number) => Owned::Integer(number),
            Err(_) => Owned::Number(number as f64),
        })
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Owned, E> {
        Ok(Owned::Number(number))
    }

    fn visit_bool<E: Error>(self, is_true: bool) -> Result<Owned, E> {
        Ok(Owned::Integer(i64::from(is_true)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Owned, E> {
        Ok(Owned::Text(text.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Owned, E> {
        Ok(Owned::Missing)
    }
}
