//! From the images of tasks to regions: decoded one by one, run in batches.

use std::{mem, sync::Arc};

use label_studio_ml::{
    Object, Project, Region, Task,
    anyhow::{self, anyhow},
    json,
};
use label_studio_vision::images::{DecodeBudget, task_images};

use crate::{Answer, Control, Network, Options, Prepared, regions};

/// What Ultralytics asks of a box; lower thresholds of control tags lower it.
const USUAL_CONFIDENCE: f64 = 0.25;

/// Regions of one task by control tag, or why there are none.
pub(crate) struct Found(anyhow::Result<Vec<Vec<Region>>>);

impl Found {
    pub(crate) fn of(controls: &[Control<'_>]) -> Self {
        Self(Ok(controls.iter().map(|_| Vec::new()).collect()))
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

/// The images that one object tag shows, and the networks that are to see them.
pub(crate) struct Pictures<'a> {
    object: &'a Object,
    runs: Vec<Run<'a>>,
}

/// Control tags that share a network and its images.
struct Run<'a> {
    network: Arc<Network>,
    /// The control tags with their places among all.
    controls: Vec<(usize, &'a Control<'a>)>,
    confidence: f64,
}

/// An image that waits for its batch.
struct Waiting {
    task_idx: usize,
    item: Option<usize>,
    /// What goes into the network of each run.
    inputs: Vec<Prepared>,
}

impl<'a> Pictures<'a> {
    /// Sorts control tags by what their objects show, in the order of the document.
    pub(crate) fn by_object(controls: &'a [Control<'a>]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (idx, control) in controls.iter().enumerate() {
            let object = control.object;
            let shows_same = |other: &Object| {
                (&other.value_name, other.is_image_list)
                    == (&object.value_name, object.is_image_list)
            };
            let known = all.iter().position(|known| shows_same(known.object));
            let pictures = known.unwrap_or_else(|| {
                all.push(Self {
                    object,
                    runs: Vec::new(),
                });
                all.len() - 1
            });
            all[pictures].add(idx, control);
        }
        all
    }

    fn add(&mut self, idx: usize, control: &'a Control<'a>) {
        let mut runs = self.runs.iter_mut();
        let known = runs.find(|run| Arc::ptr_eq(&run.network, &control.network));
        // Surer boxes come out the same whatever less sure ones there are, so the least threshold serves all.
        let confidence = control.lowest_threshold().clamp(0.0, USUAL_CONFIDENCE);
        match known {
            Some(run) => {
                run.controls.push((idx, control));
                run.confidence = run.confidence.min(confidence);
            }
            None => self.runs.push(Run {
                network: Arc::clone(&control.network),
                controls: vec![(idx, control)],
                confidence,
            }),
        }
    }

    /// Adds the regions of each task. An image is scaled for its networks as soon as it is decoded, and let go.
    pub(crate) fn find(
        &self,
        project: &Project,
        (budget, options): (&DecodeBudget, &Options),
        tasks: &[Task],
        found: &mut [Found],
    ) {
        let mut waiting = Vec::new();
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
                let inputs = project
                    .local_path(task, image.url)
                    .map_err(anyhow::Error::from);
                let inputs = inputs.and_then(|path| {
                    let runs = self.runs.iter();
                    let prepared = budget.with_image(&path, &options.limits, |image| {
                        runs.map(|run| run.network.prepare(image)).collect()
                    });
                    Ok(prepared?)
                });
                match inputs {
                    Ok(inputs) => waiting.push(Waiting {
                        task_idx,
                        item: image.item,
                        inputs,
                    }),
                    Err(error) => found[task_idx].fail(error),
                }
                if waiting.len() >= options.batch_size {
                    self.run(mem::take(&mut waiting), found);
                }
            }
        }
        self.run(waiting, found);
    }

    fn run(&self, mut waiting: Vec<Waiting>, found: &mut [Found]) {
        // The last run's inputs lie last.
        for run in self.runs.iter().rev() {
            let inputs = waiting.iter_mut().filter_map(|image| image.inputs.pop());
            let inputs: Vec<_> = inputs.collect();
            let answers = run.network.answer(&inputs, run.confidence);
            for (image, answer) in waiting.iter().zip(answers) {
                let found = &mut found[image.task_idx];
                if let Err(error) =
                    answer.and_then(|answer| run.add_regions(image.item, &answer, found))
                {
                    found.fail(error);
                }
            }
        }
    }
}

impl Run<'_> {
    fn add_regions(
        &self,
        item: Option<usize>,
        answer: &Answer,
        found: &mut Found,
    ) -> anyhow::Result<()> {
        let Ok(by_control) = &mut found.0 else {
            return Ok(());
        };
        for (idx, control) in &self.controls {
            let mut regions = regions::regions(control, answer, item)
                .map_err(|error| anyhow!("control tag {:?}: {error:#}", control.tag.name))?;
            if let Some(item) = item {
                for region in &mut regions {
                    region.extra.insert("item_index".to_owned(), json!(item));
                }
            }
            by_control[*idx].extend(regions);
        }
        Ok(())
    }
}
