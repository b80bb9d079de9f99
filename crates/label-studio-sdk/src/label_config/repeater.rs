//! `Repeater` tags: a part of the screen for each entry of a list in the task's data.

use std::{borrow::Cow, ops::Range};

use roxmltree::Node;
use serde_json::{Map, Value};

use super::{
    LabelConfig, LabelConfigError, limits,
    parser::{control_names, elements, has_tag, non_empty, read_document},
};
use crate::value_path::value_at;

/// Index flag of a `Repeater` without the attribute `indexFlag`.
const DEFAULT_FLAG: &str = "{{idx}}";
/// Repeaters within repeaters.
const MAX_DEPTH: usize = 8;
/// Most entries of the lists of one task that a model is asked about one by one.
const MAX_ENTRIES: usize = 1000;
/// Most bytes that the texts for the entries of one task take together.
const MAX_BYTES: usize = 32 << 20;

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
        Self::parse(&shown(self.text(), data)?)
    }

    /// Returns the texts of a label config for each entry of the lists that `Repeater` tags repeat: each holds the
    /// controls and objects of one entry, and all that stands outside. A model that labels the first control of a kind
    /// then labels that of every entry.
    ///
    /// There is one text, that of [`LabelConfig::for_task`], when no `Repeater` has a control inside, or when the lists are
    /// empty.
    ///
    /// # Errors
    /// When there are more than 1000 entries, or the label config becomes too large.
    pub fn entries_of(&self, data: &Map<String, Value>) -> Result<Vec<String>, LabelConfigError> {
        if !self.has_repeaters() {
            return Ok(vec![self.text().to_owned()]);
        }
        let (mut entries, mut n_bytes) = (Vec::new(), 0);
        let mut waiting = vec![(0, self.text().to_owned())];
        while let Some((depth, text)) = waiting.pop() {
            let template = Template::read(&text)?;
            if !template.has_controls || depth == MAX_DEPTH {
                let text = shown(&text, data)?;
                n_bytes += text.len();
                limits::check_count("bytes for the entries of lists", n_bytes, MAX_BYTES)?;
                entries.push(text);
                continue;
            }
            let n_entries = template.n_entries(data).max(1);
            let n_known = entries.len() + waiting.len();
            limits::check_count("entries of lists", n_known + n_entries, MAX_ENTRIES)?;
            // The last one is taken first.
            for idx in (0..n_entries).rev() {
                let text = template.filled(data, Some(idx))?;
                limits::check_count(
                    "bytes for the entries of lists",
                    n_bytes + n_entries * text.len(),
                    MAX_BYTES,
                )?;
                waiting.push((depth + 1, text));
            }
        }
        Ok(entries)
    }

    /// Like [`LabelConfig::entries_of`], parsed.
    pub fn for_entries(&self, data: &Map<String, Value>) -> Result<Vec<Self>, LabelConfigError> {
        if !self.has_repeaters() {
            return Ok(vec![self.clone()]);
        }
        let texts = self.entries_of(data)?;
        texts.iter().map(|text| Self::parse(text)).collect()
    }
}

/// Returns a text with all entries of all lists.
fn shown(text: &str, data: &Map<String, Value>) -> Result<String, LabelConfigError> {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_DEPTH {
        let template = Template::read(&text)?;
        if template.repeaters.is_empty() {
            break;
        }
        let filled = template.filled(data, None)?;
        text = Cow::Owned(filled);
    }
    Ok(text.into_owned())
}

/// A label config, cut at its outermost repeaters.
struct Template<'a> {
    text: &'a str,
    repeaters: Vec<Repeater<'a>>,
    /// Whether a repeater has a control inside.
    has_controls: bool,
}

/// A `Repeater` tag.
struct Repeater<'a> {
    range: Range<usize>,
    content: &'a str,
    flag: Box<str>,
    /// Name of the list in the task's data.
    list: Option<Box<str>>,
}

impl<'a> Template<'a> {
    fn read(text: &'a str) -> Result<Self, LabelConfigError> {
        let (document, start) = read_document(text)?;
        let mut template = Self {
            text,
            repeaters: Vec::new(),
            has_controls: false,
        };
        let mut n_read = 0;
        for node in elements(&document).filter(|node| has_tag(*node, "Repeater")) {
            let range = shifted(node.range(), start);
            if range.start < n_read {
                continue;
            }
            n_read = range.end;
            let is_control = |node: Node<'_, '_>| control_names(node).is_some();
            template.has_controls |= node.descendants().any(is_control);
            template.repeaters.push(Repeater {
                range,
                content: content(node).map_or("", |content| &text[shifted(content, start)]),
                flag: non_empty(node, "indexFlag").unwrap_or(DEFAULT_FLAG).into(),
                list: non_empty(node, "on")
                    .and_then(|on| on.trim().strip_prefix('$'))
                    .map(Into::into),
            });
        }
        Ok(template)
    }

    /// Returns the length of the longest list.
    fn n_entries(&self, data: &Map<String, Value>) -> usize {
        let lengths = self
            .repeaters
            .iter()
            .map(|repeater| repeater.n_entries(data));
        lengths.max().unwrap_or(0)
    }

    /// Returns the text with all entries in place of the repeaters, or with those at one position.
    fn filled(
        &self,
        data: &Map<String, Value>,
        only: Option<usize>,
    ) -> Result<String, LabelConfigError> {
        let (mut filled, mut n_copied) = (String::new(), 0);
        for repeater in &self.repeaters {
            let n_entries = repeater.n_entries(data);
            let entries = match only {
                Some(idx) => idx..n_entries.min(idx + 1),
                None => 0..n_entries,
            };
            filled += &self.text[n_copied..repeater.range.start];
            filled += "<View>";
            for idx in entries {
                filled += &repeater.content.replace(&*repeater.flag, &idx.to_string());
                limits::check_size(filled.len())?;
            }
            filled += "</View>";
            n_copied = repeater.range.end;
        }
        filled += &self.text[n_copied..];
        Ok(filled)
    }
}

impl Repeater<'_> {
    fn n_entries(&self, data: &Map<String, Value>) -> usize {
        let list = self.list.as_deref();
        let list = list.and_then(|name| value_at(data, name)?.as_array());
        list.map_or(0, Vec::len)
    }
}

/// Returns where the content of a tag stands.
fn content(node: Node<'_, '_>) -> Option<Range<usize>> {
    let (first, last) = (node.first_child()?, node.last_child()?);
    Some(first.range().start..last.range().end)
}

fn shifted(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}
