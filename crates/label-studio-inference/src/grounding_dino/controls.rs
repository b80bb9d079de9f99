//! The controls of a label config that ask for something: a prompt, thresholds.

use anyhow::Context as _;
use label_studio_sdk::{Control, LabelConfig, LabelConfigError, Object, Pair};
use serde_json::{Map, Value};

use super::Thresholds;

/// Name, or start of the name, by which a text area is preferred.
const PROMPT: &str = "prompt";
/// Key of the task data that Label Studio uses before a project has a label config.
const UNDEFINED: &str = "$undefined$";

/// Where annotators say what to look for.
#[derive(Debug, Clone, Copy)]
pub struct PromptControls<'a> {
    /// The text area for the prompt, and its image.
    pub prompt: Pair<'a>,
    /// The number for [`Thresholds::box_score`], if the label config has one.
    pub box_threshold: Option<&'a Control>,
    /// The number for [`Thresholds::token_score`], if the label config has one.
    pub text_threshold: Option<&'a Control>,
}

impl<'a> PromptControls<'a> {
    /// Finds the text area of an image, the one called `prompt` if there are several, and the numbers whose names start
    /// with `box_threshold` and `text_threshold`.
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
            prompt,
            box_threshold: number("box_threshold"),
            text_threshold: number("text_threshold"),
        })
    }

    /// Returns the text that was typed into the text area, the first that is not blank.
    pub fn typed<'v>(&self, regions: &'v [Value]) -> Option<&'v str> {
        let values = values_of(self.prompt.control, regions);
        let texts = values.filter_map(|value| value.get("text"));
        let texts = texts.flat_map(|text| match text {
            Value::Array(texts) => texts.as_slice(),
            text => std::slice::from_ref(text),
        });
        texts
            .filter_map(Value::as_str)
            .find(|text| !text.trim().is_empty())
    }

    /// Returns the thresholds that were entered, or the defaults; fails for a number that is no score.
    pub fn thresholds(&self, regions: &[Value], default: Thresholds) -> anyhow::Result<Thresholds> {
        Ok(Thresholds {
            box_score: threshold(self.box_threshold, regions, default.box_score)?,
            token_score: threshold(self.text_threshold, regions, default.token_score)?,
        })
    }

    /// Returns the number that was entered into a control; 0 counts as none.
    pub fn entered(control: Option<&Control>, regions: &[Value]) -> Option<f64> {
        let numbers =
            values_of(control?, regions).filter_map(|value| value.get("number")?.as_f64());
        numbers.into_iter().find(|number| *number != 0.0)
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

/// Returns the address of a task's image; the error names what is missing.
pub fn image_address<'a>(image: &Object, data: &'a Map<String, Value>) -> anyhow::Result<&'a str> {
    let key = &image.value_name;
    let value = data.get(key).or_else(|| data.get(UNDEFINED));
    let address = value.and_then(Value::as_str);
    let address = address.filter(|address| !address.trim().is_empty());
    address.with_context(|| format!("the task's data has no image address under {key:?}"))
}

fn values_of<'v>(control: &Control, regions: &'v [Value]) -> impl Iterator<Item = &'v Value> {
    let is_it =
        |region: &&Value| region.get("from_name").and_then(Value::as_str) == Some(&control.name);
    regions
        .iter()
        .filter(is_it)
        .filter_map(|region| region.get("value"))
}
