//! From tasks to predictions: what the backends that find things by a prompt have in common.

use std::path::PathBuf;

use label_studio_sdk::{Object, Prediction, Region, Task};

use super::{Detection, Detector, Prompt, Thresholds};
use crate::images::{self, Limits, RgbImage, image_address};

/// Finds things in the images of tasks.
pub struct Finder {
    /// Finds things in images.
    pub detector: Detector,
    /// What holds where the project does not say otherwise.
    pub options: FinderOptions,
}

/// What holds where a project does not say otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FinderOptions {
    /// How sure the model must be.
    pub thresholds: Thresholds,
    /// How large images may be.
    pub limits: Limits,
    /// Images that are decoded at a time.
    pub batch_size: usize,
}

/// Something to look for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Where to look: the object tag of the image.
    pub on: &'a Object,
    /// What was typed.
    pub prompt: &'a Prompt,
    /// How sure the model must be.
    pub thresholds: Thresholds,
}

impl Finder {
    /// Looks at the images of tasks, a few at a time, and answers for each task with the regions that `regions` makes of what
    /// was found, or with what is wrong with it. `local_path` gives the file behind an address.
    pub fn predict_all(
        &self,
        wanted: Wanted<'_>,
        tasks: &[Task],
        local_path: impl Fn(&Task, &str) -> anyhow::Result<PathBuf>,
        regions: impl Fn(&RgbImage, &[Detection]) -> anyhow::Result<Vec<Region>>,
    ) -> Vec<anyhow::Result<Prediction>> {
        let open = |task: &Task| {
            let path = local_path(task, image_address(wanted.on, &task.data)?)?;
            Ok(images::open(&path, &self.options.limits)?)
        };
        let mut predictions = Vec::with_capacity(tasks.len());
        for tasks in tasks.chunks(self.options.batch_size.max(1)) {
            let images: Vec<anyhow::Result<RgbImage>> = tasks.iter().map(open).collect();
            let readable: Vec<_> = images.iter().flatten().collect();
            let found = self
                .detector
                .detect(&readable, wanted.prompt, wanted.thresholds);
            // One failure of the model is that of all its images.
            let mut found = found
                .map(Vec::into_iter)
                .map_err(|error| format!("{:#}", anyhow::Error::from(error)));
            predictions.extend(images.into_iter().map(|image| {
                let image = image?;
                let found = match &mut found {
                    Ok(found) => found.next().unwrap_or_default(),
                    Err(error) => anyhow::bail!("{error}"),
                };
                Ok(Prediction::new(regions(&image, &found)?).with_mean_score())
            }));
        }
        predictions
    }
}
