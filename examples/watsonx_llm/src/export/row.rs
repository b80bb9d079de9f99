//! From an annotation to a row.

use std::collections::BTreeMap;

use label_studio_ml::{Map, Value};

/// The column of the task's number.
pub(super) const ID: &str = "ID";
/// Fields of region values that say what was chosen, where a region does not name its kind.
const ANSWERS: [&str; 10] = [
    "labels", "choices", "text", "rating", "number", "taxonomy", "datetime", "selected", "ranker",
    "pairwise",
];

/// A value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A whole number: `bigint`.
    Integer(i64),
    /// Anything else: `varchar`.
    Text(String),
    /// Nothing.
    Null,
}

/// One annotation as a row: the task's number, and a value per column.
///
/// Columns are told apart without regard to case, as in SQL; of two with one name the later counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Number of the task.
    pub id: i64,
    columns: BTreeMap<String, Cell>,
}

impl Row {
    /// Creates a row for a task.
    pub fn new(id: i64) -> Self {
        Self {
            id,
            columns: BTreeMap::new(),
        }
    }

    /// Reads the row of an annotation: who made and changed it, the task's data, and a value per region.
    ///
    /// `emails` are those of who made the annotation and who changed it.
    pub fn of_annotation(
        id: i64,
        [completed_by, updated_by]: [String; 2],
        data: &Map<String, Value>,
        regions: &[Value],
    ) -> Self {
        let mut row = Self::new(id);
        row.set("completed_by", Cell::Text(completed_by));
        row.set("updated_by", Cell::Text(updated_by));
        for (name, value) in data {
            row.set(name, Cell::of(value));
        }
        for region in regions {
            if let Some(name) = region["from_name"].as_str() {
                row.set(name, Cell::of(answer(region)));
            }
        }
        row
    }

    /// Sets the value of a column. `ID` stays the task's number: data of that name goes to `data_id`.
    pub fn set(&mut self, name: &str, cell: Cell) {
        let name = if name.eq_ignore_ascii_case(ID) {
            "data_id"
        } else {
            name
        };
        let same = self
            .columns
            .keys()
            .find(|known| known.to_lowercase() == name.to_lowercase());
        let name = same.cloned().unwrap_or_else(|| name.to_owned());
        self.columns.insert(name, cell);
    }

    /// Returns all columns but `ID`, by name.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &Cell)> {
        self.columns
            .iter()
            .map(|(name, cell)| (name.as_str(), cell))
    }

    /// Returns the value of a column, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&Cell> {
        let name = name.to_lowercase();
        let mut columns = self.columns.iter();
        columns
            .find(|(known, _)| known.to_lowercase() == name)
            .map(|(_, cell)| cell)
    }
}

impl Cell {
    /// Reads a value: of a list its first item, text of digits as a number, other text without the quotes around it.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Array(items) => match items.first() {
                // A path of a taxonomy.
                Some(Value::Array(path)) => {
                    let texts: Vec<_> = path.iter().filter_map(Value::as_str).collect();
                    Self::Text(texts.join("/"))
                }
                Some(first) => Self::of(first),
                None => Self::Null,
            },
            Value::String(text) => Self::of_text(text),
            Value::Number(number) => number
                .as_i64()
                .map_or_else(|| Self::Text(number.to_string()), Self::Integer),
            Value::Bool(_) | Value::Object(_) => Self::Text(value.to_string()),
        }
    }

    fn of_text(text: &str) -> Self {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(number) if is_number => Self::Integer(number),
            _ => Self::Text(text.trim_matches('"').to_owned()),
        }
    }
}

/// Returns what a region says: its labels, choices, text or number.
fn answer(region: &Value) -> &Value {
    let value = &region["value"];
    let of_kind = region["type"].as_str().and_then(|kind| value.get(kind));
    let known = || ANSWERS.iter().find_map(|name| value.get(*name));
    let fields = || value.as_object();
    let labels = || {
        let mut fields = fields()?.iter();
        fields
            .find(|(name, _)| name.ends_with("labels"))
            .map(|(_, value)| value)
    };
    let first = || fields()?.values().next();
    of_kind
        .or_else(labels)
        .or_else(known)
        .or_else(first)
        .unwrap_or(&Value::Null)
}
