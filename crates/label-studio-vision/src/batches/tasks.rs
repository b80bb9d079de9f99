//! From the images of tasks to one result per task.

use std::{path::PathBuf, sync::Arc};

use label_studio_sdk::{Object, Task};

use super::{BatchModel, Inputs, in_batches};
use crate::images::{ImageReader, TaskImage, task_images};

/// Decodes images of tasks within limits and runs models on them in batches. One for all requests
/// of a backend.
#[derive(Debug)]
pub struct ImageBatches {
    /// Reads the images.
    pub reader: Arc<ImageReader>,
    /// Images that run at a time.
    pub batch_size: usize,
}

/// The images that an object tag shows of tasks.
#[derive(Clone, Copy)]
pub struct ImagesOfTasks<'a> {
    /// The object tag.
    pub object: &'a Object,
    /// The tasks.
    pub tasks: &'a [Task],
    /// Returns the file behind the URL of an image, and fetches it first if need be.
    pub local_path: &'a dyn Fn(&Task, &str) -> anyhow::Result<PathBuf>,
}

/// An image that models have seen.
#[derive(Debug, Clone, PartialEq)]
pub struct SeenImage {
    /// Position of the task.
    pub task_idx: usize,
    /// Position in the list, for an `Image` with a `valueList`; regions carry it as `item_index`.
    pub item_idx: Option<usize>,
    /// Width and height in pixels, upright.
    pub size: (u32, u32),
    /// The file.
    pub path: PathBuf,
}

impl ImageBatches {
    /// Runs all models on the images of each task, and returns for each task what `finish` makes of
    /// each of its images, or the first error.
    ///
    /// An image is decoded once for all models. `finish` is called as soon as a batch is done, with
    /// one output per model, so that only what it returns is kept. After an error the other images
    /// of a task are neither fetched nor decoded.
    pub fn predict<M: BatchModel, T>(
        &self,
        models: &[M],
        images: ImagesOfTasks<'_>,
        finish: impl Fn(&SeenImage, Vec<M::Output>) -> anyhow::Result<T>,
    ) -> Vec<anyhow::Result<Vec<T>>> {
        let scaler = Scaler {
            batches: self,
            models,
            images,
        };
        let inputs = (0..images.tasks.len()).flat_map(|task_idx| scaler.inputs(task_idx));
        let mut results: Vec<_> = images.tasks.iter().map(|_| Ok(Vec::new())).collect();
        for seen in in_batches(models, self.batch_size, inputs) {
            let (task_idx, finished) = match seen {
                Ok((image, outputs)) => (
                    image.task_idx,
                    outputs.and_then(|outputs| finish(&image, outputs)),
                ),
                Err((task_idx, error)) => (task_idx, Err(error)),
            };
            let result = &mut results[task_idx];
            match (finished, result.as_mut()) {
                (Ok(finished), Ok(all)) => all.push(finished),
                (Err(error), Ok(_)) => *result = Err(error),
                (_, Err(_)) => {}
            }
        }
        results
    }
}

/// Reads images and scales them for models.
struct Scaler<'a, M> {
    batches: &'a ImageBatches,
    models: &'a [M],
    images: ImagesOfTasks<'a>,
}

/// An image with an input for each model, or the position of a task and what is wrong with it.
type Scaled<M> = Inputs<M, SeenImage, (usize, anyhow::Error)>;

impl<M: BatchModel> Scaler<'_, M> {
    /// Yields the images of a task until one fails.
    fn inputs(&self, task_idx: usize) -> impl Iterator<Item = Scaled<M>> {
        let task = &self.images.tasks[task_idx];
        let (images, error) = match task_images(self.images.object, task) {
            Ok(images) => (images, None),
            Err(error) => (Vec::new(), Some(Err((task_idx, error.into())))),
        };
        let mut has_failed = false;
        let scaled = images.into_iter().map_while(move |image| {
            if has_failed {
                return None;
            }
            let scaled = self.scaled(task_idx, image);
            has_failed = scaled.is_err();
            Some(scaled.map_err(|error| (task_idx, error)))
        });
        error.into_iter().chain(scaled)
    }

    fn scaled(
        &self,
        task_idx: usize,
        image: TaskImage<'_>,
    ) -> anyhow::Result<(SeenImage, Vec<M::Input>)> {
        let path = (self.images.local_path)(&self.images.tasks[task_idx], image.url)?;
        let (reader, models) = (&self.batches.reader, self.models.iter());
        let (size, inputs): (_, anyhow::Result<_>) = if models.clone().any(M::needs_grey) {
            reader.open_with_grey(&path, |pixels, grey| {
                let inputs = models.map(|model| model.prepare_with_grey(pixels, &grey));
                (pixels.dimensions(), inputs.collect())
            })?
        } else {
            reader.open(&path, |pixels| {
                let inputs = models.map(|model| model.prepare(pixels));
                (pixels.dimensions(), inputs.collect())
            })?
        };
        let seen = SeenImage {
            task_idx,
            item_idx: image.item,
            size,
            path,
        };
        Ok((seen, inputs?))
    }
}
