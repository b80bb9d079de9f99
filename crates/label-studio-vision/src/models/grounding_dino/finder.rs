//! From tasks to predictions, for all backends with Grounding DINO.

use label_studio_sdk::{Prediction, Region};

use super::{Detection, Detector, Search, Thresholds};
use crate::{
    batches::{ImageBatches, ImagesOfTasks, SeenImage},
    images::with_item_index,
};

/// Detects objects in the images of tasks.
pub struct Finder {
    /// Detects objects in images.
    pub detector: Detector,
    /// Minimum scores where the project does not say otherwise.
    pub thresholds: Thresholds,
    /// Reads the images of tasks.
    pub batches: ImageBatches,
}

impl Finder {
    /// Returns a prediction for each task, of the regions that `regions` makes of what was found in
    /// each of its images.
    pub fn predict(
        &self,
        search: Search<'_>,
        images: ImagesOfTasks<'_>,
        regions: impl Fn(&SeenImage, &[Detection]) -> anyhow::Result<Vec<Region>>,
    ) -> Vec<anyhow::Result<Prediction>> {
        let found = self.batches.predict(&[search], images, |image, found| {
            let regions = regions(image, &found.concat())?;
            Ok(with_item_index(regions, image.item_idx))
        });
        let prediction = |regions: Vec<Vec<Region>>| Prediction::new(regions.concat());
        found
            .into_iter()
            .map(|regions| Ok(prediction(regions?).with_mean_score()))
            .collect()
    }
}
