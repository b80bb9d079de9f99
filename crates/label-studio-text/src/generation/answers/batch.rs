//! Generates answers to several prompts at the same time.

use std::collections::VecDeque;

use super::{
    options::GenerationOptions,
    running::{Finished, Job, Running},
    sampler::Sampler,
};
use crate::{
    generation::{
        GenerationError,
        model::{Cache, Decoder, Segment},
    },
    tokens::Tokenizer,
};

/// Most tokens that go through the layers at once; more would not be faster, and need more memory.
const MAX_TOKENS: usize = 512;
/// Most tokens of an answer that memory is set aside for before they are there.
const MAX_ROOM: usize = 1024;
/// Shortest common start of prompts that is computed once for all of them.
const MIN_SHARED: usize = 8;

/// Tokens that go through the layers, behind those that a cache has.
struct Start<'a> {
    cache: &'a mut Cache,
    ids: &'a [u32],
}

/// A prompt that went through the layers, and the logits behind it.
type Started<'j, 'i> = (&'j Job<'i>, Cache, Vec<f32>);

/// Generates answers to several prompts at the same time.
#[derive(Debug)]
pub(in crate::generation) struct Batch<'a> {
    pub(in crate::generation) decoder: &'a Decoder,
    pub(in crate::generation) tokenizer: &'a Tokenizer,
    pub(in crate::generation) options: &'a GenerationOptions,
}

impl Batch<'_> {
    /// Generates the answers to all prompts, and hands each over when it is complete: the prompt's number, that of the
    /// answer, and the answer. An answer that ends makes room for the next prompt. Stops when `goes_on` says so.
    pub(in crate::generation) fn run(
        &self,
        jobs: &[Job<'_>],
        mut goes_on: impl FnMut() -> bool,
        mut hand_over: impl FnMut(usize, usize, Finished),
    ) -> Result<(), GenerationError> {
        let ends = &self.decoder.architecture().ends;
        let shared = self.shared_start(jobs)?;
        let mut waiting: VecDeque<&Job<'_>> = jobs.iter().collect();
        let mut running: Vec<Running<'_>> = Vec::new();
        while !(waiting.is_empty() && running.is_empty()) {
            if !goes_on() {
                return Err(GenerationError::Stopped);
            }
            let mut logits = if running.is_empty() {
                Vec::new()
            } else {
                self.step(&mut running)?
            };
            let room = self.options.batch_size.saturating_sub(running.len());
            let n_new = (room / self.options.n_answers).max(usize::from(running.is_empty()));
            let n_new = n_new.min(waiting.len());
            let new: Vec<_> = waiting.drain(..n_new).collect();
            for (job, cache, own) in self.start(&new, &shared)? {
                for answer in 0..self.options.n_answers {
                    running.push(self.running(job, answer, &cache));
                    logits.push(own.clone());
                }
            }
            let mut still_running = Vec::with_capacity(running.len());
            for (mut one, logits) in running.into_iter().zip(logits) {
                match one.go_on(&logits, ends, self.options, self.tokenizer)? {
                    Some(finished) => hand_over(one.job.prompt, one.answer, finished),
                    None => still_running.push(one),
                }
            }
            running = still_running;
        }
        Ok(())
    }

    /// Runs the last tokens of all answers through the layers.
    fn step(&self, running: &mut [Running<'_>]) -> Result<Vec<Vec<f32>>, GenerationError> {
        let long_from = self.decoder.long_from();
        let next: Vec<Vec<u32>> = running
            .iter_mut()
            .map(|one| {
                if long_from == Some(one.cache.n_tokens() + 1) {
                    // The frequencies of all positions change here.
                    one.cache = self.decoder.cache();
                    [one.job.ids, &one.ids].concat()
                } else {
                    one.ids[one.ids.len() - 1..].to_vec()
                }
            })
            .collect();
        let starts = running.iter_mut().zip(&next).map(|(one, ids)| Start {
            cache: &mut one.cache,
            ids,
        });
        self.fill(&mut starts.collect::<Vec<_>>())
    }

    fn running<'j>(&self, job: &Job<'j>, answer: usize, cache: &Cache) -> Running<'j> {
        Running {
            job: *job,
            answer,
            cache: cache.with_room(job.ids.len() + job.budget.min(MAX_ROOM)),
            sampler: Sampler::new(self.options.sampling, answer as u64, job.ids),
            ids: Vec::new(),
            sum: 0.0,
        }
    }

    /// Computes the start that all prompts have in common; an empty cache if that is not worth it.
    fn shared_start(&self, jobs: &[Job<'_>]) -> Result<Cache, GenerationError> {
        let mut cache = self.decoder.cache();
        let Some((first, others)) = jobs.split_first() else {
            return Ok(cache);
        };
        let common = |other: &Job<'_>| {
            let pairs = first.ids.iter().zip(other.ids);
            // Each prompt needs a token of its own, behind which the answer begins.
            let n_equal = pairs.take_while(|(own, other)| own == other).count();
            n_equal.min(other.ids.len() - 1)
        };
        let n_common = others.iter().map(common).min().unwrap_or(0);
        let n_common = n_common.min(first.ids.len() - 1);
        // Frequencies that depend on the length of a text make its start another one.
        if n_common >= MIN_SHARED && self.decoder.long_from().is_none() {
            let ids = &first.ids[..n_common];
            let cache = &mut cache;
            self.fill(&mut [Start { cache, ids }])?;
        }
        Ok(cache)
    }

    /// Runs prompts through the layers, behind the start that they share.
    fn start<'j, 'i>(
        &self,
        jobs: &[&'j Job<'i>],
        shared: &Cache,
    ) -> Result<Vec<Started<'j, 'i>>, GenerationError> {
        let caches = jobs.iter().map(|job| shared.with_room(job.ids.len()));
        let mut caches: Vec<Cache> = caches.collect();
        let starts = jobs.iter().zip(&mut caches).map(|(job, cache)| Start {
            ids: &job.ids[cache.n_tokens()..],
            cache,
        });
        let logits = self.fill(&mut starts.collect::<Vec<_>>())?;
        let started = jobs.iter().zip(caches).zip(logits);
        Ok(started
            .map(|((job, cache), logits)| (*job, cache, logits))
            .collect())
    }

    /// Runs tokens through the layers, as many at once as is good; returns the logits behind the last ones.
    fn fill(&self, starts: &mut [Start<'_>]) -> Result<Vec<Vec<f32>>, GenerationError> {
        let mut logits = vec![Vec::new(); starts.len()];
        while starts.iter().any(|start| !start.ids.is_empty()) {
            let mut room = MAX_TOKENS;
            let (mut segments, mut owners) = (Vec::new(), Vec::new());
            for (idx, start) in starts.iter_mut().enumerate() {
                let (ids, later) = start.ids.split_at(start.ids.len().min(room));
                if ids.is_empty() {
                    continue;
                }
                let n_total = start.cache.n_tokens() + start.ids.len();
                start.ids = later;
                room -= ids.len();
                segments.push(Segment {
                    cache: &mut *start.cache,
                    ids,
                    n_total,
                });
                owners.push(idx);
            }
            for (idx, own) in owners.into_iter().zip(self.decoder.forward(&mut segments)?) {
                logits[idx] = own;
            }
        }
        Ok(logits)
    }
}
