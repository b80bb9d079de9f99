//! From the images of tasks to regions, for the control tags that share images and a detector.

use std::{path::PathBuf, sync::Arc};

use label_studio_ml::{Object, Region, Task, anyhow};
use label_studio_vision::{
    batches::{ImageBatches, ImagesOfTasks},
    images::with_item_index,
};

use crate::{Detector, detector::Search, target::Target};

/// The regions of one image with the position of their target among all.
pub(crate) type Found = (usize, Vec<Region>);

/// The targets that take the boxes of one detector on the images of one object tag.
pub(crate) struct TargetsOfObject<'a> {
    pub(crate) object: &'a Object,
    pub(crate) detector: Arc<Detector>,
    /// Targets with their positions among all.
    pub(crate) targets: Vec<(usize, Target<'a>)>,
}

impl TargetsOfObject<'_> {
    /// Returns for each task what the detector finds in its images, or the first error.
    pub(crate) fn predict(
        &self,
        tasks: &[Task],
        batches: &ImageBatches,
        local_path: &dyn Fn(&Task, &str) -> anyhow::Result<PathBuf>,
    ) -> Vec<anyhow::Result<Vec<Found>>> {
        let thresholds = self
            .targets
            .iter()
            .map(|(_, target)| target.lowest_threshold());
        let search = Search {
            detector: &self.detector,
            min_score: thresholds.fold(f64::INFINITY, f64::min),
        };
        let images = ImagesOfTasks {
            object: self.object,
            tasks,
            local_path,
        };
        let classes = &self.detector.settings().classes;
        let by_image = batches.predict(&[search], images, |image, boxes| {
            let boxes = boxes.concat();
            let found = self.targets.iter().map(|(idx, target)| {
                let regions = target.regions(classes, &boxes, image.size);
                (*idx, with_item_index(regions, image.item_idx))
            });
            Ok(found.collect::<Vec<_>>())
        });
        by_image
            .into_iter()
            .map(|found| Ok(found?.into_iter().flatten().collect()))
            .collect()
    }
}
