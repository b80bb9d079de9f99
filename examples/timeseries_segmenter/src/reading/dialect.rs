//! How a CSV file is written: its separator, its header, and where its data starts.

use label_studio_ml::anyhow::{self, bail};

use super::{fields::fields, names, rows::Wanted};
use crate::{
    cells::{decimal, is_missing},
    times::read_iso,
};

/// Separators in the order in which they are tried where a header has names.
const SEPARATORS: [u8; 5] = *b",;\t| ";
/// The same where it has none: a comma may be that of a decimal number.
const SEPARATORS_OF_NUMBERS: [u8; 5] = *b";\t|, ";
/// Lines in which the header is looked for: some files begin with a description.
const MAX_LINES: usize = 100;
/// Lines that are compared to find a separator.
const N_COMPARED: usize = 5;

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) separator: u8,
    /// Where the columns that are wanted are, that of the time first.
    pub(super) columns: Vec<usize>,
    /// Fields of the header, or of the first row.
    pub(super) n_fields: usize,
    /// First byte behind the header.
    pub(super) data: usize,
    /// Line at which the data starts, counted from 1.
    pub(super) line: u64,
}

/// A line of the head of a file.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    bytes: &'a [u8],
    /// Where it and the next line start.
    start: usize,
    end: usize,
    /// Counted from 1.
    number: u64,
}

impl Dialect {
    /// Finds out how a file is written, from its first bytes.
    ///
    /// The header is the first line, even in a comment, with all the columns that are wanted. In a
    /// file without one, or with another one, columns are wanted by their numbers from 0.
    pub(super) fn find(head: &[u8], wanted: &Wanted<'_>) -> anyhow::Result<Self> {
        let lines: Vec<_> = lines(head).take(MAX_LINES).collect();
        let names: Vec<&str> = wanted.names().collect();
        for line in &lines {
            if let Some(dialect) = Self::by_names(line, &names, wanted.separator)? {
                return Ok(dialect);
            }
        }
        let is_comment = |line: &&Line<'_>| line.bytes.starts_with(b"#");
        let lines: Vec<_> = lines
            .into_iter()
            .filter(|line| !is_comment(&line))
            .collect();
        let Some(first) = lines.first() else {
            bail!("the file is empty");
        };
        Self::by_numbers(&lines, first, (&names, wanted.separator))
    }

    fn by_names(
        line: &Line<'_>,
        names: &[&str],
        separator: Option<u8>,
    ) -> anyhow::Result<Option<Self>> {
        let text = line.bytes.strip_prefix(b"#").unwrap_or(line.bytes);
        for separator in separator.into_iter().chain(SEPARATORS) {
            let fields: Vec<String> = fields(text.trim_ascii_start(), separator);
            if fields.iter().all(|field| is_value(field)) {
                continue;
            }
            let columns: anyhow::Result<Option<Vec<_>>> = names
                .iter()
                .map(|name| names::find(name, &fields))
                .collect();
            if let Some(columns) = columns? {
                return Ok(Some(Self {
                    // A comma in a file of one column is that of a decimal number.
                    separator: if fields.len() == 1 { b';' } else { separator },
                    columns,
                    n_fields: fields.len(),
                    data: line.end,
                    line: line.number + 1,
                }));
            }
        }
        Ok(None)
    }

    fn by_numbers(
        lines: &[Line<'_>],
        first: &Line<'_>,
        (names, separator): (&[&str], Option<u8>),
    ) -> anyhow::Result<Self> {
        let separator = separator_of(lines, separator);
        let columns = fields(first.bytes, separator);
        let second = lines.get(1).map(|line| fields(line.bytes, separator));
        let has_header = !columns.iter().any(|field| is_value(field))
            || second.is_some_and(|second| {
                let mut pairs = columns.iter().zip(&second);
                pairs.any(|(one, other)| !is_value(one) && decimal(other.trim()).is_some())
            });
        let place = |name: &&str| {
            let by_name = if has_header {
                names::find(name, &columns)?
            } else {
                None
            };
            let by_number = name
                .trim()
                .parse()
                .ok()
                .filter(|place| *place < columns.len());
            match by_name.or(by_number) {
                Some(place) => Ok(place),
                None if has_header => bail!(names::missing(name, &columns)),
                None => bail!(
                    "the file has no header with the name {name:?}: add one, or name its {} columns \
                     by their numbers in the label config, the first one \"0\"",
                    columns.len()
                ),
            }
        };
        Ok(Self {
            separator,
            columns: names.iter().map(place).collect::<anyhow::Result<_>>()?,
            n_fields: columns.len(),
            data: if has_header { first.end } else { first.start },
            line: first.number + u64::from(has_header),
        })
    }
}

/// Returns the separator that cuts all lines into as many fields.
fn separator_of(lines: &[Line<'_>], known: Option<u8>) -> u8 {
    let n_fields = |line: &Line<'_>, separator| fields(line.bytes, separator).len();
    let is_good = |separator: &u8| {
        let mut counts = lines
            .iter()
            .take(N_COMPARED)
            .map(|line| n_fields(line, *separator));
        let first = counts.next().unwrap_or_default();
        first > 1 && counts.all(|count| count == first)
    };
    let mut candidates = known.into_iter().chain(SEPARATORS_OF_NUMBERS);
    // A file of one column has none.
    candidates.find(is_good).unwrap_or(b';')
}

/// Returns whether a field may be one of a row, rather than of a header.
fn is_value(field: &str) -> bool {
    let field = field.trim();
    decimal(field).is_some() || is_missing(field) || read_iso(field).is_some()
}

/// Cuts bytes into lines, without those that are blank.
fn lines(head: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let (mut start, mut number) = (0, 0);
    let next = move || {
        let rest = head.get(start..).filter(|rest| !rest.is_empty())?;
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let length = length.unwrap_or(rest.len());
        let end = match rest.get(length..length + 2) {
            Some(b"\r\n") => length + 2,
            _ => (length + 1).min(rest.len()),
        };
        let line = Line {
            bytes: &rest[..length],
            start,
            end: start + end,
            number: number + 1,
        };
        (start, number) = (line.end, line.number);
        Some(line)
    };
    std::iter::from_fn(next).filter(|line| !line.bytes.trim_ascii().is_empty())
}
