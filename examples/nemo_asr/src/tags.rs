//! Where transcripts go in a label config.

use label_studio_audio::transcript::{SegmentOptions, Span, Transcript};
use label_studio_ml::{
    Control, LabelConfig, Object, Region,
    anyhow::{self, Context, anyhow},
    json,
    sdk::Pair,
};

use crate::TimestampUnit;

const TEXT_AREA: &str = "TextArea";
const AUDIO: &str = "Audio";
/// What a label may name in `predicted_values`.
const SPEECH: &str = "speech";
/// Shortest region in seconds: Label Studio cannot show one without a length.
const MIN_SECONDS: f64 = 0.01;

/// The tags that transcripts go to.
#[derive(Debug, Clone)]
pub(crate) struct Tags<'a> {
    /// The audio.
    pub(crate) object: &'a Object,
    /// Takes the whole text.
    whole: Option<&'a Control>,
    regions: Option<RegionTags<'a>>,
}

/// The tags of regions.
#[derive(Debug, Clone)]
struct RegionTags<'a> {
    labels: &'a Control,
    label: String,
    /// Takes the text of a region.
    text: Option<&'a Control>,
    unit: TimestampUnit,
    segments: SegmentOptions,
}

/// What becomes regions where a label config does not say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RegionOptions {
    pub(crate) unit: TimestampUnit,
    pub(crate) segments: SegmentOptions,
}

impl<'a> Tags<'a> {
    /// Finds the first `TextArea` of an `Audio`, and the `Labels` of the same one.
    pub(crate) fn find(config: &'a LabelConfig, options: RegionOptions) -> anyhow::Result<Self> {
        let Pair { control, object } = config.first_pair(TEXT_AREA, AUDIO)?;
        let on_it = |tag: &str, accepts: &dyn Fn(&Control) -> bool| {
            let is_same = |other: &Object| other.name == object.name;
            let pair = config.first_pair_where(tag, AUDIO, accepts, is_same);
            pair.ok().map(|pair| pair.control)
        };
        let is_per_region = |control: &Control| {
            let value = control.attr("perRegion");
            value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let regions = match on_it("Labels", &|_| true) {
            Some(labels) => RegionTags::new(labels, on_it(TEXT_AREA, &is_per_region), options)?,
            None => None,
        };
        let whole = on_it(TEXT_AREA, &|control| !is_per_region(control));
        // Without regions even a `TextArea` for them takes the whole text, as in the original.
        let whole = whole.or_else(|| regions.is_none().then_some(control));
        Ok(Self {
            object,
            whole,
            regions,
        })
    }

    /// Returns the regions of a transcript.
    pub(crate) fn regions(&self, said: &Transcript) -> Vec<Region> {
        let region = |control: &Control, value| {
            Region::new(&control.name, &self.object.name, control.kind(), value)
        };
        let mut regions = Vec::new();
        if let Some(control) = self.whole {
            regions.push(region(control, json!({ "text": [said.text()] })));
        }
        let Some(tags) = &self.regions else {
            return regions;
        };
        for Span {
            text,
            start,
            end,
            score,
            ..
        } in tags.spans(said)
        {
            let (start, end) = (rounded(start), rounded(end.max(start + MIN_SECONDS)));
            let place = |control: &Control, key: &str, entry: &str| {
                let value = json!({ "start": start, "end": end, "channel": 0, key: [entry] });
                let mut region = region(control, value).with_score(score);
                let length = json!(rounded(said.duration));
                region.extra.insert("original_length".to_owned(), length);
                region
            };
            let labelled = place(tags.labels, "labels", &tags.label).with_new_id();
            let id = labelled.id.clone();
            regions.push(labelled);
            if let Some(control) = tags.text {
                let mut text = place(control, "text", &text);
                text.id = id;
                regions.push(text);
            }
        }
        regions
    }
}

impl<'a> RegionTags<'a> {
    fn new(
        labels: &'a Control,
        text: Option<&'a Control>,
        options: RegionOptions,
    ) -> anyhow::Result<Option<Self>> {
        let about = |name: &str| format!("attribute {name} of <Labels name={:?}>", labels.name);
        let unit = match labels.attr("timestamps") {
            Some(unit) => unit
                .parse()
                .map_err(|error: String| anyhow!(error))
                .with_context(|| about("timestamps"))?,
            None => options.unit,
        };
        if unit == TimestampUnit::Off {
            return Ok(None);
        }
        let label = if let Some(label) = labels.attr("asr_label") {
            let is_known = labels.is_dynamic || labels.labels.iter().any(|own| own == label);
            let known = is_known.then(|| label.to_owned());
            Some(known.with_context(|| {
                let known = labels.labels.join(", ");
                format!(
                    "{} is {label:?}, which is none of {known}",
                    about("asr_label")
                )
            })?)
        } else {
            let mut predicted = labels.label_map(&[SPEECH]).into_values();
            predicted.next().or_else(|| labels.labels.first().cloned())
        };
        // Labels that come with the tasks are not known here.
        Ok(label.map(|label| Self {
            labels,
            label,
            text,
            unit,
            segments: options.segments,
        }))
    }

    fn spans(&self, said: &Transcript) -> Vec<Span> {
        match self.unit {
            TimestampUnit::Off => Vec::new(),
            TimestampUnit::Words => said.words(),
            TimestampUnit::Segments => said.segments(self.segments),
        }
    }
}

/// Returns seconds to a tenth of a millisecond.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1e4).round() / 1e4
}
