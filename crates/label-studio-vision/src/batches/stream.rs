//! Inputs that come one after the other.

use std::iter;

use super::{BatchModel, run};

/// A key with one input for each model, or an error.
pub type Inputs<M, K, E> = Result<(K, Vec<<M as BatchModel>::Input>), E>;

/// A key with one output of each model, or the error of the first that failed; or an error that
/// passed through.
pub type Outputs<M, K, E> = Result<(K, anyhow::Result<Vec<<M as BatchModel>::Output>>), E>;

/// Runs inputs as they come, `batch_size` at a time, and yields their outputs in order.
///
/// Errors among the inputs pass through in their place. Only the inputs of one
/// batch are held at a time, so a lazy iterator needs memory for no more.
pub fn in_batches<M: BatchModel, K, E>(
    models: &[M],
    batch_size: usize,
    inputs: impl Iterator<Item = Inputs<M, K, E>>,
) -> impl Iterator<Item = Outputs<M, K, E>> {
    let mut inputs = inputs.fuse();
    let next_batch = move || {
        let (mut batch, mut n_inputs) = (Vec::new(), 0);
        while n_inputs < batch_size.max(1)
            && let Some(input) = inputs.next()
        {
            n_inputs += usize::from(input.is_ok());
            batch.push(input);
        }
        (!batch.is_empty()).then(|| run_batch(models, batch))
    };
    iter::from_fn(next_batch).flatten()
}

fn run_batch<M: BatchModel, K, E>(
    models: &[M],
    batch: Vec<Inputs<M, K, E>>,
) -> Vec<Outputs<M, K, E>> {
    let mut by_model: Vec<_> = models.iter().map(|_| Vec::new()).collect();
    let mut keys = Vec::with_capacity(batch.len());
    for item in batch {
        keys.push(item.map(|(key, inputs)| {
            for (of_model, input) in by_model.iter_mut().zip(inputs) {
                of_model.push(input);
            }
            key
        }));
    }
    let mut outputs: Vec<_> = models
        .iter()
        .zip(by_model)
        .map(|(model, inputs)| run(model, &inputs).into_iter())
        .collect();
    let mut next_outputs = || -> Vec<anyhow::Result<M::Output>> {
        let next = outputs.iter_mut().map(Iterator::next);
        next.map(|output| output.expect("each input has an output"))
            .collect()
    };
    keys.into_iter()
        .map(|key| key.map(|key| (key, next_outputs().into_iter().collect())))
        .collect()
}
