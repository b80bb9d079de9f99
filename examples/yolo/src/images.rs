//! From the images of tasks to regions, for the control tags that label them.

use std::sync::Arc;

use label_studio_ml::{
    Object, Project, Region, Task,
    anyhow::{self, anyhow},
};
use label_studio_vision::{
    batches::{ImageBatches, ImagesOfTasks},
    images::with_item_index,
};

use crate::{Answer, Control, Network, network::Search, regions};

/// Default minimum score of a box in Ultralytics; a lower threshold of a control tag lowers it.
const USUAL_CONFIDENCE: f64 = 0.25;
/// Overlap above which the worse of two boxes goes in Ultralytics.
const USUAL_OVERLAP: f64 = 0.7;

/// The regions of one image with the position of their control tag among all.
pub(crate) type Found = (usize, Vec<Region>);

/// The control tags that label the images of one object tag.
pub(crate) struct ControlsOfObject<'a> {
    object: &'a Object,
    networks: Vec<ControlsOfNetwork<'a>>,
}

/// Control tags that share a network and its images.
struct ControlsOfNetwork<'a> {
    network: Arc<Network>,
    /// The control tags with their positions among all.
    controls: Vec<(usize, &'a Control<'a>)>,
    confidence: f64,
}

impl<'a> ControlsOfObject<'a> {
    /// Groups control tags by the images of their objects, in the order of the document.
    pub(crate) fn groups(controls: &'a [Control<'a>]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let of_images = controls.iter().enumerate();
        for (idx, control) in of_images.filter(|(_, control)| !control.kind.is_of_video()) {
            let object = control.object;
            let shows_same = |other: &Object| {
                (&other.value_name, other.is_image_list)
                    == (&object.value_name, object.is_image_list)
            };
            let known = groups.iter().position(|known| shows_same(known.object));
            let group = known.unwrap_or_else(|| {
                groups.push(Self {
                    object,
                    networks: Vec::new(),
                });
                groups.len() - 1
            });
            groups[group].add(idx, control);
        }
        groups
    }

    fn add(&mut self, idx: usize, control: &'a Control<'a>) {
        let mut networks = self.networks.iter_mut();
        let known = networks.find(|known| Arc::ptr_eq(&known.network, &control.network));
        // Boxes with high scores do not depend on those with low ones, so the lowest threshold serves all.
        let confidence = control.lowest_threshold().clamp(0.0, USUAL_CONFIDENCE);
        match known {
            Some(known) => {
                known.controls.push((idx, control));
                known.confidence = known.confidence.min(confidence);
            }
            None => self.networks.push(ControlsOfNetwork {
                network: Arc::clone(&control.network),
                controls: vec![(idx, control)],
                confidence,
            }),
        }
    }

    /// Returns for each task what the networks find in its images, or the first error.
    pub(crate) fn predict(
        &self,
        project: &Project,
        tasks: &[Task],
        batches: &ImageBatches,
    ) -> Vec<anyhow::Result<Vec<Found>>> {
        let searches: Vec<_> = self
            .networks
            .iter()
            .map(ControlsOfNetwork::search)
            .collect();
        let images = ImagesOfTasks {
            object: self.object,
            tasks,
            local_path: &|task, url| Ok(project.local_path(task, url)?),
        };
        let by_image = batches.predict(&searches, images, |image, answers| {
            let by_network = self.networks.iter().zip(&answers);
            by_network
                .map(|(network, answer)| network.regions(answer, image.item_idx))
                .collect::<anyhow::Result<Vec<_>>>()
        });
        let of_task = |found: Vec<Vec<Vec<Found>>>| found.into_iter().flatten().flatten().collect();
        by_image
            .into_iter()
            .map(|found| found.map(of_task))
            .collect()
    }
}

impl ControlsOfNetwork<'_> {
    fn search(&self) -> Search<'_> {
        Search {
            network: &self.network,
            confidence: self.confidence,
            max_overlap: USUAL_OVERLAP,
        }
    }

    fn regions(&self, answer: &Answer, item_idx: Option<usize>) -> anyhow::Result<Vec<Found>> {
        let controls = self.controls.iter();
        controls
            .map(|(idx, control)| {
                let regions = regions::regions(control, answer, item_idx)
                    .map_err(|error| anyhow!("control tag {:?}: {error:#}", control.tag.name))?;
                Ok((*idx, with_item_index(regions, item_idx)))
            })
            .collect()
    }
}
