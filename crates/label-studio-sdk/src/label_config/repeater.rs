//! `Repeater` tags: a part of the screen for each entry of a list in the task's data.

use std::{borrow::Cow, ops::Range};

use roxmltree::Node;
use serde_json::{Map, Value};

use super::{
    LabelConfig, LabelConfigError, limits,
    parser::{elements, has_tag, non_empty, read_document},
};
use crate::value_path::value_at;

/// Index flag of a `Repeater` without the attribute `indexFlag`.
const DEFAULT_FLAG: &str = "{{idx}}";
/// Repeaters within repeaters.
const MAX_DEPTH: usize = 8;

impl LabelConfig {
    /// Returns the label config as Label Studio shows it for a task: what is inside a `Repeater` stands there once for
    /// each entry of its list, with the entry's position, counted from 0, in place of the index flag.
    ///
    /// `<Repeater on="$pages" indexFlag="{{idx}}"><Image name="page_{{idx}}" value="$pages[{{idx}}]"/></Repeater>` becomes
    /// the images `page_0`, `page_1` and so on. A list that is missing has no entries. Without `Repeater` tags this is a
    /// cheap copy.
    ///
    /// # Errors
    /// When the label config becomes too large.
    pub fn for_task(&self, data: &Map<String, Value>) -> Result<Self, LabelConfigError> {
        if !self.has_repeaters() {
            return Ok(self.clone());
        }
        let mut text = Cow::Borrowed(self.text());
        for _ in 0..MAX_DEPTH {
            match expanded(&text, data)? {
                Some(wider) => text = Cow::Owned(wider),
                None => break,
            }
        }
        Self::parse(&text)
    }
}

/// Replaces the outermost repeaters of a text by their content; `None` when there is no repeater.
fn expanded(text: &str, data: &Map<String, Value>) -> Result<Option<String>, LabelConfigError> {
    let (document, start) = read_document(text)?;
    let mut wider = String::new();
    let mut n_copied = 0;
    for repeater in elements(&document).filter(|node| has_tag(*node, "Repeater")) {
        let range = shifted(repeater.range(), start);
        if range.start < n_copied {
            continue;
        }
        wider += &text[n_copied..range.start];
        wider += "<View>";
        if let Some(content) = content(repeater) {
            let content = &text[shifted(content, start)];
            let flag = non_empty(repeater, "indexFlag").unwrap_or(DEFAULT_FLAG);
            for idx in 0..n_entries(repeater, data) {
                wider += &content.replace(flag, &idx.to_string());
                limits::check_size(wider.len())?;
            }
        }
        wider += "</View>";
        n_copied = range.end;
    }
    if n_copied == 0 {
        return Ok(None);
    }
    wider += &text[n_copied..];
    Ok(Some(wider))
}

/// Returns where the content of a tag stands.
fn content(node: Node<'_, '_>) -> Option<Range<usize>> {
    let (first, last) = (node.first_child()?, node.last_child()?);
    Some(first.range().start..last.range().end)
}

fn n_entries(repeater: Node<'_, '_>, data: &Map<String, Value>) -> usize {
    let name = non_empty(repeater, "on").and_then(|on| on.trim().strip_prefix('$'));
    let list = name.and_then(|name| value_at(data, name)?.as_array());
    list.map_or(0, Vec::len)
}

fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}
