//! CSV files, read record by record with memory for one.

use std::io::{BufRead, BufReader, Cursor, Read};

use csv_core::{ReadRecordResult, Reader};
use label_studio_ml::anyhow::{self, Context, bail, ensure};

use super::{dialect::Dialect, fields::reader, rows::Rows};
use crate::cells::Cell;

/// Largest record. A quotation mark that is never closed would otherwise fill the memory.
const MAX_RECORD_BYTES: usize = 1 << 20;
const MAX_FIELDS: usize = 1 << 16;

/// Reads a file of which the head was read already.
pub(super) fn read_csv(head: &[u8], rest: impl Read, rows: &mut Rows<'_>) -> anyhow::Result<()> {
    let dialect = Dialect::find(head, rows.wanted())?;
    let data = Cursor::new(&head[dialect.data..]).chain(rest);
    let mut records = Records::new(data, &dialect);
    while records.next()? {
        let line = dialect.line + records.line;
        if records.is_empty(&dialect.columns) {
            continue;
        }
        ensure!(
            !records.has_beyond(dialect.n_fields),
            "row {line} has more fields than the {} of the header, with {:?} between them: quote \
             texts that contain it, or set <TimeSeries sep=\"...\">",
            dialect.n_fields,
            char::from(dialect.separator)
        );
        let cells = dialect.columns.iter().map(|column| records.cell(*column));
        rows.push(cells, line)?;
    }
    Ok(())
}

/// The records of a file.
struct Records<R> {
    reader: Reader,
    input: BufReader<R>,
    output: Vec<u8>,
    ends: Vec<usize>,
    /// Fields of the record, as parts of the output.
    fields: Vec<(usize, usize)>,
    /// Line at which the record ends, counted from 0.
    line: u64,
    /// Whether several separators are one.
    is_aligned: bool,
}

impl<R: Read> Records<R> {
    fn new(input: R, dialect: &Dialect) -> Self {
        Self {
            reader: reader(dialect.separator),
            input: BufReader::with_capacity(1 << 16, input),
            output: vec![0; 1 << 12],
            ends: vec![0; 1 << 6],
            fields: Vec::new(),
            line: 0,
            is_aligned: dialect.separator == b' ',
        }
    }

    /// Reads the next record; `false` at the end of the file.
    fn next(&mut self) -> anyhow::Result<bool> {
        let (mut n_out, mut n_ends) = (0, 0);
        let mut is_line_over = false;
        loop {
            let input = self.input.fill_buf().context("cannot read the file")?;
            let (result, read, written, ended) =
                self.reader
                    .read_record(input, &mut self.output[n_out..], &mut self.ends[n_ends..]);
            if let Some(last) = input[..read].last() {
                is_line_over = *last == b'\n';
            }
            self.input.consume(read);
            n_out += written;
            n_ends += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => grow(&mut self.output, MAX_RECORD_BYTES)?,
                ReadRecordResult::OutputEndsFull => grow(&mut self.ends, MAX_FIELDS)?,
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(false),
            }
        }
        self.line = self.reader.line() - 1 - u64::from(is_line_over);
        self.fields.clear();
        let mut start = 0;
        for end in &self.ends[..n_ends] {
            if !self.is_aligned || start < *end {
                self.fields.push((start, *end));
            }
            start = *end;
        }
        Ok(true)
    }

    fn cell(&self, column: usize) -> Cell<'_> {
        let Some((start, end)) = self.fields.get(column) else {
            return Cell::Missing;
        };
        // What is not UTF-8 is no number, and no time that could be compared.
        Cell::Text(std::str::from_utf8(&self.output[*start..*end]).unwrap_or("\u{fffd}"))
    }

    /// Returns whether the record has nothing in these columns.
    fn is_empty(&self, columns: &[usize]) -> bool {
        columns.iter().all(|column| match self.fields.get(*column) {
            Some((start, end)) => self.output[*start..*end].trim_ascii().is_empty(),
            None => true,
        })
    }

    /// Returns whether there is something behind so many fields.
    fn has_beyond(&self, n_fields: usize) -> bool {
        let mut beyond = self.fields.iter().skip(n_fields);
        beyond.any(|(start, end)| !self.output[*start..*end].trim_ascii().is_empty())
    }
}

fn grow<T: Default + Clone>(buffer: &mut Vec<T>, limit: usize) -> anyhow::Result<()> {
    if buffer.len() >= limit {
        bail!(
            "a row of the file has more than {MAX_RECORD_BYTES} bytes or {MAX_FIELDS} fields: is a \
             quotation mark missing?"
        );
    }
    buffer.resize((2 * buffer.len()).min(limit), T::default());
    Ok(())
}
