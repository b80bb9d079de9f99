//! A network that many threads ask.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    thread,
};

use crate::{
    network::{
        Network, NetworkError, SeriesNetwork, SeriesWorkspace, SpanNetwork, SpanText,
        SpanWorkspace, Tokens, Workspace,
    },
    numbers::softmax::softmax,
};

/// Most tokens that go through the layers at once; more would not be faster, and need more memory.
const MAX_BATCH_TOKENS: usize = 1024;

/// A network that many threads may ask at once. Texts of similar length go through it together, on
/// as many threads as there are cores.
#[derive(Debug)]
pub struct Inference {
    network: Network,
    workers: Workers<Workspace>,
}

/// A network for spans that many threads may ask at once, as [`Inference`] is one for labels.
#[derive(Debug)]
pub struct SpanInference {
    network: SpanNetwork,
    workers: Workers<SpanWorkspace>,
}

/// A network for series that many threads may ask at once, as [`Inference`] is one for labels.
#[derive(Debug)]
pub struct SeriesInference {
    network: SeriesNetwork,
    workers: Workers<SeriesWorkspace>,
}

/// The threads of a call, and the memory that they use.
#[derive(Debug)]
struct Workers<W> {
    /// Memory that no call uses now.
    workspaces: Mutex<Vec<W>>,
    n_threads: usize,
}

impl Inference {
    /// Creates an inference that uses all cores.
    pub fn new(network: Network) -> Self {
        Self {
            network,
            workers: Workers::new(),
        }
    }

    /// Sets how many threads a call uses at most.
    #[must_use]
    pub fn with_threads(mut self, n_threads: NonZeroUsize) -> Self {
        self.workers.n_threads = n_threads.get();
        self
    }

    /// Returns the network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Computes the logits of each text: one value per label, or for token classification one row
    /// of them per token.
    pub fn logits(&self, texts: &[Tokens<'_>]) -> Result<Vec<Vec<f32>>, NetworkError> {
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        self.workers.run(&lengths, |batch, workspace| {
            let own: Vec<_> = batch.iter().map(|idx| texts[*idx]).collect();
            let logits = self.network.logits(&own, workspace)?;
            let lengths = own
                .iter()
                .map(|text| self.network.n_outputs(text.ids.len()));
            Ok(split(logits, lengths))
        })
    }
}

impl SpanInference {
    /// Creates an inference that uses all cores.
    pub fn new(network: SpanNetwork) -> Self {
        Self {
            network,
            workers: Workers::new(),
        }
    }

    /// Returns the network.
    pub fn network(&self) -> &SpanNetwork {
        &self.network
    }

    /// Computes the logits of each text: one row per span, by its first and then by its last word,
    /// with one value per label.
    pub fn logits(&self, texts: &[SpanText<'_>]) -> Result<Vec<Vec<f32>>, NetworkError> {
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        self.workers.run(&lengths, |batch, workspace| {
            let own: Vec<_> = batch.iter().map(|idx| texts[*idx]).collect();
            let logits = self.network.logits(&own, workspace)?;
            let lengths = own.iter().map(|text| self.network.n_outputs(text));
            Ok(split(logits, lengths))
        })
    }
}

impl SeriesInference {
    /// Creates an inference that uses all cores.
    pub fn new(network: SeriesNetwork) -> Self {
        Self {
            network,
            workers: Workers::new(),
        }
    }

    /// Returns the network.
    pub fn network(&self) -> &SeriesNetwork {
        &self.network
    }

    /// Computes the probabilities of each series, given its rows one behind the other: one row of
    /// them per row, with one value per class.
    pub fn probabilities(&self, series: &[&[f32]]) -> Result<Vec<Vec<f32>>, NetworkError> {
        let sizes = self.network.sizes();
        let n_rows = |values: &&[f32]| values.len() / sizes.n_channels;
        let lengths: Vec<usize> = series.iter().map(n_rows).collect();
        self.workers.run(&lengths, |batch, workspace| {
            let own = batch.iter().map(|idx| series[*idx]);
            let values = own.clone().collect::<Vec<_>>().concat();
            let mut bounds = vec![0];
            bounds.extend(batch.iter().scan(0, |end, idx| {
                *end += lengths[*idx];
                Some(*end)
            }));
            let mut rows = self.network.logits(&values, &bounds, workspace)?.to_vec();
            softmax(&mut rows, sizes.n_classes);
            let lengths = own.map(|values| n_rows(&values) * sizes.n_classes);
            Ok(split(&rows, lengths))
        })
    }
}

impl<W: Default + Send> Workers<W> {
    fn new() -> Self {
        Self {
            workspaces: Mutex::default(),
            n_threads: thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    /// Runs texts of these lengths in batches, of which `run` gets the numbers of the texts; returns
    /// the result of each text.
    fn run(
        &self,
        lengths: &[usize],
        run: impl Fn(&[usize], &mut W) -> Result<Vec<Vec<f32>>, NetworkError> + Sync,
    ) -> Result<Vec<Vec<f32>>, NetworkError> {
        let batches = batches(lengths, self.n_threads);
        let n_threads = self.n_threads.min(batches.len());
        let run_all = |first: usize, step: usize| {
            let mut workspace = self.lock().pop().unwrap_or_default();
            let mut done = Vec::new();
            for batch in batches.iter().skip(first).step_by(step) {
                let results = run(batch, &mut workspace)?;
                done.extend(batch.iter().copied().zip(results));
            }
            self.lock().push(workspace);
            Ok::<_, NetworkError>(done)
        };
        let done = if n_threads <= 1 {
            vec![run_all(0, 1)?]
        } else {
            thread::scope(|scope| {
                let run_all = &run_all;
                let calls: Vec<_> = (0..n_threads)
                    .map(|first| scope.spawn(move || run_all(first, n_threads)))
                    .collect();
                let join = |call: thread::ScopedJoinHandle<'_, _>| {
                    call.join()
                        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                };
                calls
                    .into_iter()
                    .map(join)
                    .collect::<Result<Vec<_>, NetworkError>>()
            })?
        };
        let mut results = vec![Vec::new(); lengths.len()];
        for (idx, result) in done.into_iter().flatten() {
            results[idx] = result;
        }
        Ok(results)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<W>> {
        self.workspaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts values into parts of these lengths.
fn split(values: &[f32], lengths: impl Iterator<Item = usize>) -> Vec<Vec<f32>> {
    let mut start = 0;
    let part = |len: usize| {
        let part = values[start..start + len].to_vec();
        start += len;
        part
    };
    lengths.map(part).collect()
}

/// Puts texts of similar length into batches, so that every thread gets some.
fn batches(lengths: &[usize], n_threads: usize) -> Vec<Vec<usize>> {
    let n_tokens: usize = lengths.iter().sum();
    let limit = n_tokens.div_ceil(n_threads.max(1)).min(MAX_BATCH_TOKENS);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|idx| lengths[*idx]);
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut n_in_batch = usize::MAX;
    for idx in order {
        let n_own = lengths[idx];
        if n_in_batch.saturating_add(n_own) > limit.max(n_own) {
            batches.push(Vec::new());
            n_in_batch = 0;
        }
        n_in_batch += n_own;
        if let Some(batch) = batches.last_mut() {
            batch.push(idx);
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::batches;

    #[test]
    fn batches_have_all_texts_and_are_not_too_large() {
        let lengths = [600, 3, 500, 4, 500, 600];
        let expected = vec![vec![1, 3, 2, 4], vec![0], vec![5]];
        assert_eq!(batches(&lengths, 1), expected);
        assert_eq!(batches(&lengths[1..2], 4), [[0]]);
        assert_eq!(batches(&[], 4), Vec::<Vec<usize>>::new());
        assert_eq!(batches(&[3; 4], 2), [[0, 1], [2, 3]]);
    }
}
