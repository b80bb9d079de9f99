//! The region that the annotator has just drawn.

use std::ops::Range;

use label_studio_ml::{
    Control, LabelConfig, Object, Value,
    anyhow::{self, Context, bail},
};

/// Which occurrences are not suggested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exclude {
    /// None: the selected region is suggested again, and stored twice when it is submitted.
    Nothing,
    /// The selected region itself.
    #[default]
    Selected,
    /// Spans of the interactive context that the same control labels already, including the
    /// selected one.
    Annotated,
}

/// A region that the annotator has just drawn, and the tags that it belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Selection<'a> {
    pub(crate) control: &'a Control,
    pub(crate) object: &'a Object,
    pub(crate) labels: &'a Value,
    regions: &'a [Value],
    region: &'a Value,
}

impl<'a> Selection<'a> {
    /// Finds the first of `regions` that a `<Labels>` control drew on a `<Text>`; `None` when there
    /// is none.
    ///
    /// Fails when that region has no labels.
    pub(crate) fn find(
        label_config: &'a LabelConfig,
        regions: &'a [Value],
    ) -> anyhow::Result<Option<Self>> {
        let found = regions
            .iter()
            .find_map(|region| Some((region, tags(label_config, region)?)));
        let Some((region, (control, object))) = found else {
            return Ok(None);
        };
        let labels = region
            .pointer("/value/labels")
            .filter(|labels| labels.is_array());
        Ok(Some(Self {
            control,
            object,
            labels: labels.context("the selected region has no value.labels to copy")?,
            regions,
            region,
        }))
    }

    /// Returns the selected word as it is in a task's text.
    ///
    /// Label Studio's editor writes a newline as `\\n` (two characters), collapses blanks, and sends
    /// no text of a `<Text valueType="url">`, so the offsets count. The region's own text is taken
    /// when they point to something else, as in a text of another task.
    pub(crate) fn keyword(&self, text: &str) -> anyhow::Result<String> {
        let shown = self.region.pointer("/value/text").and_then(Value::as_str);
        let selected = span(self.region).and_then(|range| slice(text, &range));
        match (selected, shown) {
            (Some(selected), Some(shown)) if as_shown(&selected) == as_shown(shown) => Ok(selected),
            (_, Some(shown)) => Ok(shown.to_owned()),
            (Some(selected), None) => Ok(selected),
            (None, None) => bail!(
                "the selected region has no value.text, and its value.start and value.end are not in the text"
            ),
        }
    }

    /// Returns whether a range is the selected region.
    pub(crate) fn is_at(&self, range: &Range<usize>) -> bool {
        span(self.region).as_ref() == Some(range)
    }

    /// Returns whether the control labels exactly this range already.
    pub(crate) fn is_annotated(&self, range: &Range<usize>) -> bool {
        let mine = self
            .regions
            .iter()
            .filter(|region| region["from_name"] == self.control.name.as_str());
        mine.filter_map(span).any(|annotated| annotated == *range)
    }
}

fn tags<'a>(label_config: &'a LabelConfig, region: &Value) -> Option<(&'a Control, &'a Object)> {
    let control_name = region.get("from_name")?.as_str()?;
    let object_name = region.get("to_name").and_then(Value::as_str);
    let is_control = |control: &Control| control.name == control_name;
    let is_object = |object: &Object| object_name.is_none_or(|name| object.name == name);
    let pair = label_config
        .first_pair_where(&["Labels"], &["Text"], is_control, is_object)
        .ok()?;
    Some((pair.control, pair.object))
}

/// Returns the code points of a range, if the text has them all.
fn slice(text: &str, range: &Range<usize>) -> Option<String> {
    let n_chars = range.end.checked_sub(range.start)?;
    let slice: String = text.chars().skip(range.start).take(n_chars).collect();
    (slice.chars().count() == n_chars).then_some(slice)
}

/// Returns a text as Label Studio's editor shows it: in one line, with single blanks.
fn as_shown(text: &str) -> String {
    let text = text.replace("\\n", " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn span(region: &Value) -> Option<Range<usize>> {
    let offset = |name: &str| usize::try_from(region["value"].get(name)?.as_u64()?).ok();
    Some(offset("start")?..offset("end")?)
}
