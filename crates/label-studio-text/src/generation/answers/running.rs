//! An answer that is being generated.

use super::{options::GenerationOptions, sampler::Sampler, text::first_stop};
use crate::{
    generation::{GenerationError, model::Cache},
    tokens::Tokenizer,
};

/// Why an answer ends where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerEnd {
    /// The model ended it.
    EndToken,
    /// One of the texts that end an answer came.
    Stop,
    /// It has as many tokens as it may have.
    Length,
}

/// The tokens of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::generation) struct Finished {
    pub(in crate::generation) ids: Vec<u32>,
    /// Mean probability of the tokens, of which the one that ended the answer is one.
    pub(in crate::generation) probability: f64,
    pub(in crate::generation) end: AnswerEnd,
}

/// A prompt that is to be answered.
#[derive(Debug, Clone, Copy)]
pub(in crate::generation) struct Job<'a> {
    /// The number that the answers are returned with.
    pub(in crate::generation) prompt: usize,
    pub(in crate::generation) ids: &'a [u32],
    /// Most tokens of an answer.
    pub(in crate::generation) budget: usize,
}

/// An answer that is being generated.
#[derive(Debug)]
pub(super) struct Running<'a> {
    pub(super) job: Job<'a>,
    pub(super) answer: usize,
    pub(super) cache: Cache,
    pub(super) sampler: Sampler,
    pub(super) ids: Vec<u32>,
    pub(super) sum: f64,
}

impl Running<'_> {
    /// Chooses the next token; returns the answer if this ends it.
    pub(super) fn go_on(
        &mut self,
        logits: &[f32],
        ends: &[u32],
        options: &GenerationOptions,
        tokenizer: &Tokenizer,
    ) -> Result<Option<Finished>, GenerationError> {
        let choice = self.sampler.choose(logits);
        self.sum += choice.probability;
        if ends.contains(&choice.id) {
            return Ok(Some(self.finished(1, AnswerEnd::EndToken)));
        }
        self.ids.push(choice.id);
        if self.stops(options, tokenizer)? {
            return Ok(Some(self.finished(0, AnswerEnd::Stop)));
        }
        let is_full = self.ids.len() >= self.job.budget;
        Ok(is_full.then(|| self.finished(0, AnswerEnd::Length)))
    }

    fn stops(
        &self,
        options: &GenerationOptions,
        tokenizer: &Tokenizer,
    ) -> Result<bool, GenerationError> {
        let Some(longest) = options.stop.iter().map(String::len).max() else {
            return Ok(false);
        };
        // A token has at least one byte, except special ones; some more give those room.
        let n_tail = longest + 8;
        let tail = &self.ids[self.ids.len().saturating_sub(n_tail)..];
        let text = tokenizer.decode(tail)?;
        Ok(first_stop(&text, &options.stop).is_some())
    }

    fn finished(&mut self, n_ends: usize, end: AnswerEnd) -> Finished {
        #[expect(clippy::cast_precision_loss, reason = "answers have few tokens")]
        let n_chosen = (self.ids.len() + n_ends) as f64;
        Finished {
            ids: std::mem::take(&mut self.ids),
            probability: self.sum / n_chosen,
            end,
        }
    }
}
