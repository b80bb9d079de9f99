//! Names of columns.

use label_studio_ml::anyhow::{self, bail};
use unicode_normalization::UnicodeNormalization;

/// Names that an error lists at most.
const MAX_LISTED: usize = 10;

/// Returns a name without what writers differ in: blanks, case, and the Unicode form.
pub(super) fn simplified(name: &str) -> String {
    let composed = name
        .nfkc()
        .filter(|c| !c.is_whitespace() && *c != '\u{feff}');
    composed.flat_map(char::to_lowercase).collect()
}

/// Finds the column of a name: the one that is written exactly so, else the one that is the same but
/// for blanks, case and Unicode form; `None` when there is none.
///
/// # Errors
/// When several columns have the name.
pub(super) fn find(name: &str, columns: &[String]) -> anyhow::Result<Option<usize>> {
    let places = |is_same: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let places = columns.iter().enumerate();
        let same = places.filter(|(_, column)| is_same(column));
        same.map(|(place, _)| place).collect()
    };
    let mut found = places(&|column| column == name);
    if found.is_empty() {
        let name = simplified(name);
        found = places(&|column| simplified(column) == name);
    }
    if found.len() > 1 {
        bail!(
            "the file has {} columns {name:?}: give each its own name",
            found.len()
        );
    }
    Ok(found.first().copied())
}

/// Says that a column is missing, and which there are.
pub(super) fn missing(name: &str, columns: &[String]) -> String {
    let listed: Vec<_> = columns
        .iter()
        .take(MAX_LISTED)
        .map(|column| format!("{column:?}"))
        .collect();
    let more = columns.len().saturating_sub(MAX_LISTED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!(
        "the file has no column {name:?}; it has {}{more}",
        listed.join(", ")
    )
}
