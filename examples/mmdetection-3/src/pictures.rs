//! From the images of tasks to regions: decoded one by one, run in batches.

use std::{mem, sync::Arc};

use label_studio_ml::{Object, Project, Region, Task, anyhow, json};
use label_studio_services::aws::PresignedUrls;
use label_studio_vision::images::{DecodeBudget, task_images};

use crate::{Detector, Options, Prepared, target::Target};

/// Regions of one task by target, or why there are none.
pub(crate) struct Found(anyhow::Result<Vec<Vec<Region>>>);

impl Found {
    pub(crate) fn of(n_targets: usize) -> Self {
        Self(Ok(vec![Vec::new(); n_targets]))
    }

    /// Returns the regions in the order of the control tags.
    pub(crate) fn into_regions(self) -> anyhow::Result<Vec<Region>> {
        Ok(self.0?.into_iter().flatten().collect())
    }

    fn fail(&mut self, error: anyhow::Error) {
        if self.0.is_ok() {
            self.0 = Err(error);
        }
    }
}

/// What an object tag shows, seen by one detector for all targets that share both.
pub(crate) struct Pictures<'a> {
    pub(crate) object: &'a Object,
    pub(crate) detector: Arc<Detector>,
    /// Targets with their places among all.
    pub(crate) targets: Vec<(usize, Target<'a>)>,
}

/// How images are fetched and decoded.
pub(crate) struct Means<'a> {
    pub(crate) project: &'a Project,
    pub(crate) budget: &'a DecodeBudget,
    pub(crate) options: &'a Options,
    pub(crate) addresses: &'a PresignedUrls,
}

/// An image that waits for its batch.
struct Waiting {
    task_idx: usize,
    item: Option<usize>,
    /// Width and height of the image.
    size: (u32, u32),
}

impl Pictures<'_> {
    /// Adds the regions of each task. An image is scaled for its network as soon as it is decoded, and let go.
    pub(crate) fn find(&self, means: &Means<'_>, tasks: &[Task], found: &mut [Found]) {
        let (mut waiting, mut inputs) = (Vec::new(), Vec::new());
        for (task_idx, task) in tasks.iter().enumerate() {
            let images = task_images(self.object, task).map_err(anyhow::Error::from);
            let images = images.unwrap_or_else(|error| {
                found[task_idx].fail(error);
                Vec::new()
            });
            for image in images {
                if found[task_idx].0.is_err() {
                    break;
                }
                match self.prepare(means, task, image.url) {
                    Ok((size, input)) => {
                        waiting.push(Waiting {
                            task_idx,
                            item: image.item,
                            size,
                        });
                        inputs.push(input);
                    }
                    Err(error) => found[task_idx].fail(error),
                }
                if waiting.len() >= means.options.batch_size {
                    self.run(&mem::take(&mut waiting), &mem::take(&mut inputs), found);
                }
            }
        }
        self.run(&waiting, &inputs, found);
    }

    fn prepare(
        &self,
        means: &Means<'_>,
        task: &Task,
        url: &str,
    ) -> anyhow::Result<((u32, u32), Prepared)> {
        let url = means.addresses.of(url)?;
        let path = means.project.local_path(task, &url)?;
        let prepared = means
            .budget
            .with_image(&path, &means.options.limits, |image| {
                (image.dimensions(), self.detector.prepare(image))
            });
        Ok(prepared?)
    }

    fn run(&self, waiting: &[Waiting], inputs: &[Prepared], found: &mut [Found]) {
        let lowest = self
            .targets
            .iter()
            .map(|(_, target)| target.lowest_threshold());
        let lowest = lowest.fold(f64::INFINITY, f64::min);
        let classes = &self.detector.settings().classes;
        for (image, boxes) in waiting.iter().zip(self.detector.detect(inputs, lowest)) {
            let found = &mut found[image.task_idx];
            match (boxes, &mut found.0) {
                (Err(error), _) => found.fail(error),
                (_, Err(_)) => {}
                (Ok(boxes), Ok(by_target)) => {
                    for (idx, target) in &self.targets {
                        let mut regions = target.regions(classes, &boxes, image.size);
                        if let Some(item) = image.item {
                            for region in &mut regions {
                                region.extra.insert("item_index".to_owned(), json!(item));
                            }
                        }
                        by_target[*idx].extend(regions);
                    }
                }
            }
        }
    }
}
