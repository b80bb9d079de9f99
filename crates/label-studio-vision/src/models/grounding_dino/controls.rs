//! The controls for a prompt and for thresholds.

use label_studio_sdk::{Control, LabelConfig, LabelConfigError, Pair};
use serde_json::Value;

use super::Thresholds;

/// Name, or start of the name, by which a text area is preferred.
const PROMPT: &str = "prompt";

/// The controls in which annotators enter a prompt and thresholds.
#[derive(Debug, Clone, Copy)]
pub struct PromptControls<'a> {
    config: &'a LabelConfig,
    /// The text area for the prompt, and its image.
    pub prompt: Pair<'a>,
    /// The number for [`Thresholds::box_score`], if the label config has one.
    pub box_threshold: Option<&'a Control>,
    /// The number for [`Thresholds::token_score`], if the label config has one.
    pub text_threshold: Option<&'a Control>,
}

impl<'a> PromptControls<'a> {
    /// Finds the text area of an image, the one called `prompt` if there are several, and the
    /// numbers whose names start with `box_threshold` and `text_threshold`.
    pub fn find(config: &'a LabelConfig) -> Result<Self, LabelConfigError> {
        let named = config.first_pair_where(
            "TextArea",
            "Image",
            |control| control.name.starts_with(PROMPT),
            |_| true,
        );
        let prompt = named.or_else(|_| config.first_pair("TextArea", "Image"))?;
        let number = |start: &str| {
            let is_it = |control: &Control| control.name.starts_with(start);
            let pair = config.first_pair_where("Number", "Image", is_it, |_| true);
            pair.ok().map(|pair| pair.control)
        };
        Ok(Self {
            config,
            prompt,
            box_threshold: number("box_threshold"),
            text_threshold: number("text_threshold"),
        })
    }

    /// Returns the text that was typed into the text area, the first that is not blank; or else
    /// that of a region which names no control of the label config.
    pub fn typed<'v>(&self, regions: &'v [Value]) -> Option<&'v str> {
        let is_known = |name: &str| self.config.controls().iter().any(|own| own.name == name);
        let from_nowhere = regions
            .iter()
            .filter(|region| !name_of(region).is_some_and(is_known))
            .filter_map(|region| region.get("value"));
        first_text(values_of(self.prompt.control, regions)).or_else(|| first_text(from_nowhere))
    }

    /// Returns the thresholds that were entered, or the defaults; fails for a number that is no
    /// score.
    pub fn thresholds(&self, regions: &[Value], default: Thresholds) -> anyhow::Result<Thresholds> {
        Ok(Thresholds {
            box_score: threshold(self.box_threshold, regions, default.box_score)?,
            token_score: threshold(self.text_threshold, regions, default.token_score)?,
        })
    }

    /// Returns the number that was entered into a control; 0 counts as none.
    pub fn entered(control: Option<&Control>, regions: &[Value]) -> Option<f64> {
        let mut values = values_of(control?, regions);
        let number = match values.find_map(|value| value.get("number"))? {
            Value::String(text) => text.trim().parse().ok(),
            number => number.as_f64(),
        };
        number.filter(|number| *number != 0.0)
    }
}

fn threshold(control: Option<&Control>, regions: &[Value], default: f64) -> anyhow::Result<f64> {
    let Some(control) = control else {
        return Ok(default);
    };
    let number = PromptControls::entered(Some(control), regions).unwrap_or(default);
    anyhow::ensure!(
        (0.0..=1.0).contains(&number),
        "{} is {number}: enter a number from 0 to 1",
        control.name
    );
    Ok(number)
}

fn values_of<'v>(control: &Control, regions: &'v [Value]) -> impl Iterator<Item = &'v Value> {
    regions
        .iter()
        .filter(|region| name_of(region) == Some(&control.name))
        .filter_map(|region| region.get("value"))
}

fn name_of(region: &Value) -> Option<&str> {
    region.get("from_name")?.as_str()
}

fn first_text<'v>(values: impl Iterator<Item = &'v Value>) -> Option<&'v str> {
    let texts = values.filter_map(|value| value.get("text"));
    let mut texts = texts.flat_map(|text| match text {
        Value::Array(texts) => texts.as_slice(),
        text => std::slice::from_ref(text),
    });
    texts.find_map(|text| text.as_str().filter(|text| !text.trim().is_empty()))
}
