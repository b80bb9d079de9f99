//! The backend behind Label Studio's smart tools: a click or a rectangle becomes a region.

use std::path::PathBuf;

use anyhow::{Context, bail};
use label_studio_sdk::{Control, LabelConfig, Pair, Prediction, Region, Task};
use serde_json::Value;

use super::{Embedding, ObjectPrompt, Predictor, PromptedModel, ScoredMask, read_context, regions};
use crate::{
    images::{Limits, image_address},
    masks::Mask,
};

/// Controls that can hold a mask, in the order of preference.
const OUTPUTS: [&[&str]; 2] = [&["BrushLabels", "Brush"], &["PolygonLabels", "Polygon"]];

/// Answers clicks and rectangles with masks.
pub struct SmartTools {
    /// Finds the objects.
    pub predictor: Predictor,
}

impl SmartTools {
    /// Creates the tools around a model, which keep embeddings of at most `cache_bytes` bytes.
    pub fn new(model: impl PromptedModel, cache_bytes: usize, limits: Limits) -> Self {
        Self {
            predictor: Predictor::new(model, cache_bytes).with_limits(limits),
        }
    }

    /// Returns the control that takes masks, and its image.
    pub fn output(config: &LabelConfig) -> anyhow::Result<Pair<'_>> {
        let found = OUTPUTS
            .iter()
            .find_map(|tags| config.first_pair(*tags, "Image").ok());
        found.context(
            "the label config has no <BrushLabels> or <PolygonLabels> on an <Image>: add one with the labels of the smart tools",
        )
    }

    /// Logs what would keep a project from getting masks: no control for them, no smart tool, other labels. For
    /// `Model::setup`: the project can be connected all the same, and its label config changed.
    pub fn check(config: &LabelConfig) {
        let pair = match Self::output(config) {
            Ok(pair) => pair,
            Err(problem) => return tracing::warn!("{problem:#}"),
        };
        let is_smart = |control: &&Control| {
            control
                .attr("smart")
                .is_some_and(|smart| smart.eq_ignore_ascii_case("true"))
                && control.to_name.contains(&pair.object.name)
        };
        let mut has_smart_tool = false;
        for tool in config.controls().iter().filter(is_smart) {
            has_smart_tool = true;
            for label in &tool.labels {
                if let Err(problem) = check_label(pair, label) {
                    tracing::warn!(tool = tool.name, "{problem:#}");
                }
            }
        }
        if !has_smart_tool {
            tracing::warn!(
                "the label config has no smart tool on its image: add smart=\"true\" to a <KeyPointLabels> or <RectangleLabels>"
            );
        }
    }

    /// Answers a whole request: for each task what [`SmartTools::predict`] finds, for none when nothing was drawn. Fails
    /// for a label config that cannot take masks, even then.
    pub fn predict_all(
        &self,
        config: &LabelConfig,
        tasks: &[Task],
        context: &[Value],
        local_path: impl Fn(&Task, &str) -> anyhow::Result<PathBuf>,
    ) -> anyhow::Result<Vec<anyhow::Result<Prediction>>> {
        Self::output(config)?;
        if context.is_empty() {
            return Ok(Vec::new());
        }
        let predict = |task| self.predict(config, task, context, |url: &str| local_path(task, url));
        Ok(tasks.iter().map(predict).collect())
    }

    /// Finds what the regions in `context` point at on the image of `task`. `local_path` gives the file behind an address.
    pub fn predict(
        &self,
        config: &LabelConfig,
        task: &Task,
        context: &[Value],
        local_path: impl FnOnce(&str) -> anyhow::Result<PathBuf>,
    ) -> anyhow::Result<Prediction> {
        let pair = pair_for(config, context)?;
        let path = local_path(image_address(pair.object, &task.data)?)?;
        let embedding = self.predictor.embed_file(&path)?;
        warn_of_other_size(context, embedding.image);

        let objects = read_context(context, &pair.object.name, embedding.image)?;
        let mut found = Vec::new();
        for object in &objects {
            if let Some(label) = &object.label {
                check_label(pair, label)?;
            }
            found.extend(self.find(pair, &embedding, object)?);
        }
        Ok(Prediction::new(found).with_mean_score())
    }

    fn find(
        &self,
        pair: Pair<'_>,
        embedding: &Embedding,
        object: &ObjectPrompt,
    ) -> anyhow::Result<Vec<Region>> {
        let mut masks = Vec::new();
        for prompt in object.prompts() {
            masks.push(self.predictor.segment(embedding, &prompt)?);
        }
        let Some(ScoredMask { mask, score }) = united(masks) else {
            return Ok(Vec::new());
        };
        let Pair {
            control,
            object: image,
        } = pair;
        Ok(regions::regions(
            control,
            image,
            object.label.as_deref(),
            &mask,
            score,
        )?)
    }
}

/// Returns the control that takes masks on the image that was drawn on, or the first.
fn pair_for<'a>(config: &'a LabelConfig, context: &[Value]) -> anyhow::Result<Pair<'a>> {
    let drawn_on = context
        .iter()
        .rev()
        .find_map(|region| region.get("to_name")?.as_str());
    let on_it = OUTPUTS.iter().find_map(|tags| {
        let is_it = |name: &str| Some(name) == drawn_on;
        config
            .first_pair_where(*tags, "Image", |_| true, |object| is_it(&object.name))
            .ok()
    });
    on_it.map_or_else(|| SmartTools::output(config), Ok)
}

/// A label that the control does not know would make a region that nobody sees.
fn check_label(pair: Pair<'_>, label: &str) -> anyhow::Result<()> {
    let Pair { control, .. } = pair;
    let is_known = control.labels.iter().any(|known| known == label);
    if control.labels.is_empty() || control.is_dynamic || is_known {
        return Ok(());
    }
    bail!(
        "label {label:?} of the smart tool is no label of <{} name={:?}>, which has {}: give both the same labels",
        control.tag,
        control.name,
        control.labels.join(", ")
    )
}

/// Percentages mean the same on a smaller copy of the image, so that only the real size counts.
fn warn_of_other_size(context: &[Value], (width, height): (u32, u32)) {
    let size = |region: &Value| {
        let side = |key: &str| region.get(key).and_then(Value::as_u64);
        Some((side("original_width")?, side("original_height")?))
    };
    let given = context.iter().find_map(size);
    if let Some(given) = given.filter(|given| *given != (u64::from(width), u64::from(height))) {
        tracing::warn!(?given, real = ?(width, height), "the drawn region names another image size than the image has");
    }
}

/// Returns the pixels of any mask, with the mean score.
fn united(masks: Vec<ScoredMask>) -> Option<ScoredMask> {
    let n_masks = u32::try_from(masks.len()).ok()?;
    let mut sum = 0.0;
    let mask = masks.into_iter().map(|found| {
        sum += found.score;
        found.mask
    });
    let mask = mask.reduce(|a: Mask, b| a.united(&b))?;
    Some(ScoredMask {
        mask,
        score: sum / f64::from(n_masks),
    })
}
