//! A network that many threads ask.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    thread,
};

use crate::{NetworkError, Tokens, Workspace, network::Network};

/// Most tokens that go through the layers at once; more would not be faster, and need more memory.
const MAX_BATCH_TOKENS: usize = 1024;

/// A network that many threads may ask at once. Texts of similar length go through it together, on
/// as many threads as there are cores.
#[derive(Debug)]
pub struct Inference {
    network: Network,
    /// Memory that no call uses now.
    workspaces: Mutex<Vec<Workspace>>,
    n_threads: usize,
}

impl Inference {
    /// Creates an inference that uses all cores.
    pub fn new(network: Network) -> Self {
        let n_threads = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            network,
            workspaces: Mutex::default(),
            n_threads,
        }
    }

    /// Sets how many threads a call uses at most.
    #[must_use]
    pub fn with_threads(mut self, n_threads: NonZeroUsize) -> Self {
        self.n_threads = n_threads.get();
        self
    }

    /// Returns the network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Computes the logits of each text: one value per label, or for token classification one row
    /// of them per token.
    pub fn logits(&self, texts: &[Tokens<'_>]) -> Result<Vec<Vec<f32>>, NetworkError> {
        let batches = batches(texts, self.n_threads);
        let n_threads = self.n_threads.min(batches.len());
        let mut logits = vec![Vec::new(); texts.len()];
        let mut keep = |done: Vec<(usize, Vec<f32>)>| {
            for (idx, rows) in done {
                logits[idx] = rows;
            }
        };
        if n_threads <= 1 {
            keep(self.run(texts, batches.iter())?);
            return Ok(logits);
        }
        let done = thread::scope(|scope| {
            let calls: Vec<_> = (0..n_threads)
                .map(|first| {
                    let own = batches.iter().skip(first).step_by(n_threads);
                    scope.spawn(move || self.run(texts, own))
                })
                .collect();
            let join = |call: thread::ScopedJoinHandle<'_, _>| {
                call.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            calls
                .into_iter()
                .map(join)
                .collect::<Result<Vec<_>, NetworkError>>()
        })?;
        done.into_iter().for_each(keep);
        Ok(logits)
    }

    /// Runs batches one after the other; returns the logits of each text with its number.
    fn run<'a>(
        &self,
        texts: &[Tokens<'_>],
        batches: impl Iterator<Item = &'a Vec<usize>>,
    ) -> Result<Vec<(usize, Vec<f32>)>, NetworkError> {
        let mut workspace = self.lock().pop().unwrap_or_default();
        let mut done = Vec::new();
        for batch in batches {
            let own: Vec<_> = batch.iter().map(|idx| texts[*idx]).collect();
            let logits = self.network.logits(&own, &mut workspace)?;
            let mut start = 0;
            for (idx, text) in batch.iter().zip(own) {
                let len = self.network.n_outputs(text.ids.len());
                done.push((*idx, logits[start..start + len].to_vec()));
                start += len;
            }
        }
        self.lock().push(workspace);
        Ok(done)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Workspace>> {
        self.workspaces
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts texts of similar length into batches, so that every thread gets some.
fn batches(texts: &[Tokens<'_>], n_threads: usize) -> Vec<Vec<usize>> {
    let n_tokens: usize = texts.iter().map(|text| text.ids.len()).sum();
    let limit = n_tokens.div_ceil(n_threads.max(1)).min(MAX_BATCH_TOKENS);
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|idx| texts[*idx].ids.len());
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut n_in_batch = usize::MAX;
    for idx in order {
        let n_own = texts[idx].ids.len();
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
    use super::{Tokens, batches};

    #[test]
    fn batches_have_all_texts_and_are_not_too_large() {
        let ids = vec![0; 600];
        let texts: Vec<_> = [600, 3, 500, 4, 500, 600]
            .map(|n| Tokens {
                ids: &ids[..n],
                type_ids: &[],
            })
            .to_vec();
        let expected = vec![vec![1, 3, 2, 4], vec![0], vec![5]];
        assert_eq!(batches(&texts, 1), expected);
        assert_eq!(batches(&texts[1..2], 4), [[0]]);
        assert_eq!(batches(&[], 4), Vec::<Vec<usize>>::new());
        let even = vec![texts[1]; 4];
        assert_eq!(batches(&even, 2), [[0, 1], [2, 3]]);
    }
}
