//! Models that run on several inputs at once.

use anyhow::ensure;

use crate::images::{GrayImage, RgbImage};

/// A model that runs on several images at once.
///
/// What holds for one request only, such as a threshold, belongs to the value that implements this:
/// it may be a small struct that borrows the loaded model.
pub trait BatchModel {
    /// An image scaled to go into the model, which no longer needs the image itself.
    type Input;
    /// What the model finds in one image.
    type Output;

    /// Scales an image to go into the model.
    fn prepare(&self, image: &RgbImage) -> anyhow::Result<Self::Input>;

    /// Returns whether [`BatchModel::prepare_with_grey`] scales images.
    fn needs_grey(&self) -> bool {
        false
    }

    /// Scales an image to go into the model, and its grey levels as OpenCV reads them from the
    /// file.
    fn prepare_with_grey(
        &self,
        image: &RgbImage,
        _grey: &GrayImage,
    ) -> anyhow::Result<Self::Input> {
        self.prepare(image)
    }

    /// Returns width and height of an input: only inputs of one size run together.
    fn input_size(&self, input: &Self::Input) -> (u32, u32);

    /// Returns how many inputs may run together, if the model's file limits that.
    fn max_inputs(&self) -> Option<usize> {
        None
    }

    /// Runs inputs of one size, and returns an output for each, in order.
    fn run(&self, inputs: &[&Self::Input]) -> anyhow::Result<Vec<Self::Output>>;
}

/// Returns the output of each input, in order; inputs of one size run together.
///
/// If a run of several inputs fails, each of them runs alone, so that one cannot take the outputs
/// of the others.
pub fn run<M: BatchModel + ?Sized>(
    model: &M,
    inputs: &[M::Input],
) -> Vec<anyhow::Result<M::Output>> {
    let mut outputs = Vec::with_capacity(inputs.len());
    for batch in batches(model, inputs) {
        match run_some(model, inputs, &batch) {
            Ok(found) => outputs.extend(batch.into_iter().zip(found.into_iter().map(Ok))),
            Err(error) if batch.len() == 1 => outputs.push((batch[0], Err(error))),
            Err(error) => {
                tracing::warn!(%error, n_inputs = batch.len(), "a batch failed: its images run one by one");
                outputs.extend(batch.into_iter().map(|idx| {
                    let alone = run_some(model, inputs, &[idx]);
                    (idx, alone.map(|mut outputs| outputs.remove(0)))
                }));
            }
        }
    }
    outputs.sort_by_key(|(idx, _)| *idx);
    outputs.into_iter().map(|(_, output)| output).collect()
}

/// Returns the positions of inputs that run together.
fn batches<M: BatchModel + ?Sized>(model: &M, inputs: &[M::Input]) -> Vec<Vec<usize>> {
    let max_inputs = model.max_inputs().unwrap_or(usize::MAX).max(1);
    let mut batches: Vec<((u32, u32), Vec<usize>)> = Vec::new();
    for (idx, input) in inputs.iter().enumerate() {
        let size = model.input_size(input);
        let is_open = |(of_batch, batch): &&mut ((u32, u32), Vec<usize>)| {
            *of_batch == size && batch.len() < max_inputs
        };
        match batches.iter_mut().find(is_open) {
            Some((_, batch)) => batch.push(idx),
            None => batches.push((size, vec![idx])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

fn run_some<M: BatchModel + ?Sized>(
    model: &M,
    inputs: &[M::Input],
    idxs: &[usize],
) -> anyhow::Result<Vec<M::Output>> {
    let inputs: Vec<_> = idxs.iter().map(|&idx| &inputs[idx]).collect();
    let outputs = model.run(&inputs)?;
    ensure!(
        outputs.len() == inputs.len(),
        "the model returned {} outputs for {} images",
        outputs.len(),
        inputs.len()
    );
    Ok(outputs)
}
