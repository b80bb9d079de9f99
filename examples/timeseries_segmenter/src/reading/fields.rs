//! The fields of a line of a CSV file.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// Splits one line into its fields.
pub(super) fn fields(line: &[u8], separator: u8) -> Vec<String> {
    let mut reader = reader(separator);
    let (mut output, mut ends) = (vec![0; line.len() + 1], vec![0; line.len() + 2]);
    let (mut n_out, mut n_ends) = (0, 0);
    // The end of the input ends the record.
    for input in [line, b"\n"] {
        let (result, _, written, ended) =
            reader.read_record(input, &mut output[n_out..], &mut ends[n_ends..]);
        n_out += written;
        n_ends += ended;
        if result == ReadRecordResult::Record {
            break;
        }
    }
    let starts = [0].into_iter().chain(ends.iter().copied());
    let pairs = starts.zip(&ends[..n_ends]);
    let fields = pairs.map(|(start, end)| text_of(&output[start..*end]));
    fields
        .filter(|field| separator != b' ' || !field.is_empty())
        .collect()
}

/// Creates a reader of records.
pub(super) fn reader(separator: u8) -> Reader {
    ReaderBuilder::new()
        .delimiter(separator)
        .comment(Some(b'#'))
        .build()
}

/// Returns bytes as a text; those that are not UTF-8 as Latin-1, in which spreadsheets write.
fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}
