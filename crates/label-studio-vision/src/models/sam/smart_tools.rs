//! The backend behind Label Studio's smart tools: clicks and rectangles become regions.

use std::path::PathBuf;

use anyhow::{Context, bail};
use label_studio_sdk::{Control, LabelConfig, Pair, Prediction, Region, Task};
use serde_json::Value;

use super::{Embedding, ObjectPrompt, Predictor, ScoredMask, read_context, regions};
use crate::{
    ShapeTags,
    images::{TaskImage, task_images, with_item_index},
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
    /// Returns the control that takes masks, and its image.
    pub fn output(config: &LabelConfig) -> anyhow::Result<Pair<'_>> {
        let found = OUTPUTS
            .iter()
            .find_map(|tags| config.first_pair(*tags, "Image").ok());
        found.context(
            "the label config has no <BrushLabels> or <PolygonLabels> on an <Image>: add one with the labels of the smart tools",
        )
    }

    /// Logs why a project gets no masks: no control for them, no smart tool, other labels. For
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
                if let Err(problem) = check_label(ShapeTags::new(config, pair), label) {
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

    /// Answers a whole request with [`SmartTools::predict`] for each task, or with no predictions
    /// when nothing was drawn. Fails for a label config that cannot take masks, even then.
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

    /// Segments the objects at the regions in `context` on an image of `task`. `local_path` returns
    /// the file behind a URL.
    pub fn predict(
        &self,
        config: &LabelConfig,
        task: &Task,
        context: &[Value],
        local_path: impl FnOnce(&str) -> anyhow::Result<PathBuf>,
    ) -> anyhow::Result<Prediction> {
        let pair = pair_for(config, context)?;
        let tags = ShapeTags::new(config, pair);
        let images = task_images(pair.object, task)?;
        let image = image_drawn_on(&images, context)?;
        let context: Vec<_> = context
            .iter()
            .filter(|region| image.item.is_none() || item_index(region) == image.item)
            .cloned()
            .collect();
        let embedding = self.predictor.embed_file(local_path(image.url)?)?;
        warn_of_other_size(&context, embedding.image);

        let objects = read_context(&context, &pair.object.name, embedding.image)?;
        let mut found = Vec::new();
        for object in &objects {
            if let Some(label) = &object.label {
                check_label(tags, label)?;
            }
            found.extend(self.find(tags, &embedding, object)?);
        }
        let found = with_item_index(found, image.item);
        Ok(Prediction::new(found).with_mean_score())
    }

    fn find(
        &self,
        tags: ShapeTags<'_>,
        embedding: &Embedding,
        object: &ObjectPrompt,
    ) -> anyhow::Result<Vec<Region>> {
        let mut masks = Vec::new();
        for prompt in object.prompts() {
            masks.push(self.predictor.segment(embedding, &prompt)?);
        }
        let Some(found) = united(masks) else {
            return Ok(Vec::new());
        };
        Ok(regions(tags, object.label.as_deref(), &found)?)
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

/// Returns the image that was drawn on: of a list the one that the newest region names.
fn image_drawn_on<'a>(
    images: &[TaskImage<'a>],
    context: &[Value],
) -> anyhow::Result<TaskImage<'a>> {
    let is_list = images.first().is_none_or(|image| image.item.is_some());
    let newest = context.iter().rev().find_map(item_index);
    let position = newest.filter(|_| is_list).unwrap_or(0);
    let image = images.get(position).copied();
    image.with_context(|| {
        let n_images = images.len();
        format!("the drawn region is on image {position} of the task, which has {n_images}")
    })
}

/// Returns the position of a region's image in its list.
fn item_index(region: &Value) -> Option<usize> {
    usize::try_from(region.get("item_index")?.as_u64()?).ok()
}

/// A region with a label that the control does not know is not shown.
fn check_label(tags: ShapeTags<'_>, label: &str) -> anyhow::Result<()> {
    let control = tags.labels();
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
