//! Statements for Presto, with names and values that cannot be mistaken for anything else.

use label_studio_ml::anyhow::{self, ensure};

use super::row::{Cell, ID, Row};

/// Words that Presto does not take for names.
const RESERVED: [&str; 73] = [
    "ALTER",
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "CALLED",
    "CASE",
    "CAST",
    "CONSTRAINT",
    "CREATE",
    "CROSS",
    "CUBE",
    "CURRENT_DATE",
    "CURRENT_PATH",
    "CURRENT_ROLE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_USER",
    "DEALLOCATE",
    "DELETE",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "EXECUTE",
    "EXISTS",
    "EXTRACT",
    "FALSE",
    "FOR",
    "FROM",
    "FULL",
    "GROUP",
    "GROUPING",
    "HAVING",
    "IN",
    "INNER",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "NATURAL",
    "NORMALIZE",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "PREPARE",
    "RECURSIVE",
    "RIGHT",
    "ROLLUP",
    "SELECT",
    "SKIP",
    "TABLE",
    "THEN",
    "TRUE",
    "UESCAPE",
    "UNION",
    "UNNEST",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];
/// Longest name of a column, in characters: older metastores of Hive keep no more.
const MAX_NAME: usize = 128;

/// A table, and the statements about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    name: String,
}

impl Table {
    /// Creates the statements for a table, which may be named with its schema and catalog.
    pub fn new(name: &str) -> anyhow::Result<Self> {
        let parts: anyhow::Result<Vec<_>> = name.trim().split('.').map(identifier).collect();
        Ok(Self {
            name: parts?.join("."),
        })
    }

    /// `CREATE TABLE IF NOT EXISTS` with the columns of a row: `ID` first, the others by name.
    pub fn create(&self, row: &Row) -> anyhow::Result<String> {
        let mut columns = format!("{ID} bigint");
        for (name, cell) in row.columns() {
            columns.push_str(", ");
            columns.push_str(&declaration(name, cell)?);
        }
        Ok(format!(
            "CREATE TABLE IF NOT EXISTS {} ({columns})",
            self.name
        ))
    }

    /// Lists the columns of the table.
    pub fn columns(&self) -> String {
        format!("SHOW COLUMNS FROM {}", self.name)
    }

    /// Adds a column for a value.
    pub fn add_column(&self, name: &str, cell: &Cell) -> anyhow::Result<String> {
        Ok(format!(
            "ALTER TABLE {} ADD COLUMN {}",
            self.name,
            declaration(name, cell)?
        ))
    }

    /// Inserts a row into a table that has the row's own columns, in their order.
    pub fn insert(&self, row: &Row) -> String {
        let mut values = row.id.to_string();
        for (_, cell) in row.columns() {
            values.push_str(", ");
            values.push_str(&literal(cell));
        }
        format!("INSERT INTO {} VALUES ({values})", self.name)
    }

    /// Inserts a row into a table that has other columns, too, or these in another order. A value is written as the type
    /// of its column wants it; one that does not fit becomes null.
    pub fn insert_into(&self, columns: &[(String, String)], row: &Row) -> anyhow::Result<String> {
        let (mut names, mut values) = (ID.to_owned(), row.id.to_string());
        for (name, cell) in row.columns() {
            let column = columns
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            let kind = column.map_or("varchar", |(_, kind)| kind.as_str());
            names.push_str(", ");
            names.push_str(&identifier(name)?);
            values.push_str(", ");
            values.push_str(&literal(&cast(cell, kind)));
        }
        Ok(format!(
            "INSERT INTO {} ({names}) VALUES ({values})",
            self.name
        ))
    }

    /// Deletes the rows of a task; only those of one annotator when a task has annotations of several.
    pub fn delete(&self, id: i64, completed_by: Option<&str>) -> String {
        let delete = format!("DELETE from {} WHERE {ID}={id}", self.name);
        match completed_by {
            Some(email) => format!("{delete} AND completed_by={}", text_literal(email)),
            None => delete,
        }
    }
}

fn declaration(name: &str, cell: &Cell) -> anyhow::Result<String> {
    Ok(format!("{} {}", identifier(name)?, kind(cell)))
}

/// Returns the type of the column for a value.
pub(super) fn kind(cell: &Cell) -> &'static str {
    match cell {
        Cell::Integer(_) => "bigint",
        Cell::Text(_) | Cell::Null => "varchar",
    }
}

/// Writes a value as the type of its column wants it.
fn cast(cell: &Cell, kind: &str) -> Cell {
    let is_text = kind.starts_with("varchar") || kind.starts_with("char");
    match cell {
        Cell::Integer(number) if is_text => Cell::Text(number.to_string()),
        Cell::Text(text) if !is_text => text.trim().parse().map_or(Cell::Null, Cell::Integer),
        cell => cell.clone(),
    }
}

/// Writes a name: as it is when it is plain, else in quotes, inside which nothing ends it but a quote, which is doubled.
fn identifier(name: &str) -> anyhow::Result<String> {
    ensure!(
        !name.trim().is_empty(),
        "a name of a table or column is empty"
    );
    ensure!(
        name.chars().count() <= MAX_NAME && !name.chars().any(char::is_control),
        "{:?} cannot be the name of a column: it is too long or holds control characters",
        name.chars().take(MAX_NAME).collect::<String>()
    );
    let mut chars = name.chars();
    let is_plain = chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_');
    let is_reserved = RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name));
    if is_plain && !is_reserved {
        return Ok(name.to_owned());
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

fn literal(cell: &Cell) -> String {
    match cell {
        Cell::Integer(number) => number.to_string(),
        Cell::Text(text) => text_literal(text),
        Cell::Null => "NULL".to_owned(),
    }
}

/// Writes a text: in quotes, inside which nothing ends it but a quote, which is doubled. Presto knows no escapes.
fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\0', "").replace('\'', "''"))
}
