//! What the label config says of a time series.

use label_studio_ml::{
    Control, LabelConfig, Object,
    anyhow::{self, ensure},
};

/// Name of the class of rows without a label, as the original has it.
pub(crate) const BACKGROUND: &str = "__background__";

/// The tags that are labelled, with what their attributes say.
#[derive(Debug, Clone, Copy)]
pub struct Tags<'a> {
    /// The `TimeSeriesLabels`.
    pub control: &'a Control,
    /// The `TimeSeries`.
    pub object: &'a Object,
}

impl<'a> Tags<'a> {
    /// Finds the first `TimeSeriesLabels` on a `TimeSeries`, which must have labels and channels.
    pub fn find(label_config: &'a LabelConfig) -> anyhow::Result<Self> {
        let pair = label_config.first_pair("TimeSeriesLabels", "TimeSeries")?;
        let tags = Self {
            control: pair.control,
            object: pair.object,
        };
        ensure!(
            !tags.control.labels.is_empty(),
            "<TimeSeriesLabels name={:?}> needs labels",
            tags.control.name
        );
        ensure!(
            !tags.control.labels.iter().any(|label| label == BACKGROUND),
            "<TimeSeriesLabels name={:?}> must not have the label {BACKGROUND:?}, which stands for \
             rows without a label",
            tags.control.name
        );
        ensure!(
            !tags.channels().is_empty(),
            "<TimeSeries name={:?}> needs channels, such as <Channel column=\"value\"/>",
            tags.object.name
        );
        Ok(tags)
    }

    /// Returns the columns of its `Channel` tags, in document order.
    pub fn channels(&self) -> Vec<String> {
        let is_channel = |tag: &str| tag.eq_ignore_ascii_case("Channel");
        let channels = self.object.children.iter();
        channels
            .filter(|child| is_channel(&child.tag))
            .filter_map(|child| child.attrs.get_filled("column").map(str::to_owned))
            .collect()
    }

    /// Returns the column of times; without one rows are numbered from 0.
    pub fn time_column(&self) -> Option<&'a str> {
        self.object.attr("timeColumn")
    }

    /// Returns how times that are texts are written.
    pub fn time_format(&self) -> Option<&'a str> {
        self.time_column()?;
        self.object.attr("timeFormat")
    }

    /// Returns the separator that `sep` names, by the editor's rules.
    pub fn separator(&self) -> Option<u8> {
        let sep = self.object.attrs.get("sep")?;
        match sep {
            "tab" | "\\t" => Some(b'\t'),
            "space" => Some(b' '),
            "comma" => Some(b','),
            "dot" => Some(b'.'),
            "auto" => None,
            _ => sep.bytes().next(),
        }
    }
}
