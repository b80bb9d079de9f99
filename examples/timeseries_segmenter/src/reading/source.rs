//! Where the series of a task is.

use std::{
    fs::File,
    io::{BufReader, Cursor, Read},
};

use label_studio_ml::{
    Project, Task, Value,
    anyhow::{self, Context, bail},
    sdk::media::needs_preload,
};

use super::{
    csv::read_csv,
    json::{read_json, read_value},
    rows::{Facts, Row, Rows},
};
use crate::tags::Tags;

/// Bytes in which the kind of a file and its header are looked for.
const HEAD_BYTES: u64 = 1 << 18;
/// Data field of a file that was uploaded as a task.
const UNDEFINED_FIELD: &str = "$undefined$";
/// What UTF-16 files begin with.
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
const UTF_8: &[u8] = b"\xef\xbb\xbf";

/// Reads the series of a task row by row: from a file that the task names, or from the task itself.
///
/// # Errors
/// When the file cannot be had or read, or `sink` fails.
pub fn read_task(
    (project, task): (&Project, &Task),
    tags: &Tags<'_>,
    channels: &[String],
    sink: &mut dyn FnMut(Row<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<Facts> {
    let name = tags.object.value_name.as_str();
    let field = |name: &str| task.value(name).filter(|value| !value.is_null());
    let value = field(name).or_else(|| field(UNDEFINED_FIELD));
    let mut rows = Rows::new(tags, channels, sink);
    match value {
        None => bail!("the task has no series in its data field {name:?}"),
        Some(Value::String(text)) if is_address(text) => {
            let path = project.local_path(task, text)?;
            let file = File::open(&path).context("cannot open the file of the task")?;
            read_file(file, &mut rows)?;
        }
        Some(Value::String(text)) => read_file(text.as_bytes(), &mut rows)?,
        Some(value @ (Value::Object(_) | Value::Array(_))) => read_value(value, &mut rows)?,
        Some(_) => bail!("data field {name:?} of the task is neither a series nor an address"),
    }
    rows.finish()
}

/// Returns whether a text is the address of a file, rather than its content.
fn is_address(text: &str) -> bool {
    let text = text.trim_start();
    let is_series = text.contains('\n') || text.starts_with(['{', '[']);
    let is_known = needs_preload(text) || text.starts_with("data:");
    !is_series && (is_known || !text.contains(','))
}

fn read_file(mut file: impl Read, rows: &mut Rows<'_>) -> anyhow::Result<()> {
    let mut head = Vec::new();
    file.by_ref()
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .context("cannot read the file of the task")?;
    if UTF_16.iter().any(|mark| head.starts_with(mark)) {
        bail!("the file is UTF-16 text: save it as UTF-8");
    }
    if head.contains(&0) {
        bail!("the file is neither CSV nor JSON: it is not a text");
    }
    let start = if head.starts_with(UTF_8) {
        UTF_8.len()
    } else {
        0
    };
    let first = head[start..]
        .iter()
        .find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'{' | b'[')) {
        let mut whole = Cursor::new(head).chain(BufReader::new(file));
        let mut mark = vec![0; start];
        whole.read_exact(&mut mark)?;
        return read_json(whole, rows);
    }
    read_csv(&head[start..], file, rows)
}
