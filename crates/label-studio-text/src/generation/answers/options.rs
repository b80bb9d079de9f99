//! How answers are made.

use crate::generation::{GenerationError, checkpoint::Fields};

/// How answers are made.
#[derive(Debug, Clone, PartialEq)]
pub struct GenerationOptions {
    /// Most tokens of prompt and answer together, as `max_length` of `transformers`.
    pub max_length: Option<usize>,
    /// Most tokens of an answer, whatever the prompt has; `max_length` does not count then.
    pub max_new_tokens: Option<usize>,
    /// Most tokens of a prompt; the context of the model is another limit.
    pub max_prompt_tokens: usize,
    /// Answers per prompt, which differ where tokens are drawn.
    pub n_answers: usize,
    /// Answers that are generated at the same time.
    pub batch_size: usize,
    /// Texts that end an answer; they are not part of it.
    pub stop: Vec<String>,
    /// How the next token is chosen.
    pub sampling: SamplingOptions,
}

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingOptions {
    /// What logits are divided by before a token is drawn; 0 takes the most probable one.
    pub temperature: f64,
    /// Most probable tokens that are drawn from; 0 for all.
    pub top_k: usize,
    /// Tokens are drawn from the fewest whose probabilities add up to this; 1 for all.
    pub top_p: f64,
    /// What makes tokens that the text already has less probable; 1 for no change.
    pub repetition_penalty: f64,
    /// Start of the random numbers: the same seed gives the same answers.
    pub seed: u64,
}

impl Default for GenerationOptions {
    fn default() -> Self {
        Self {
            max_length: None,
            max_new_tokens: Some(50),
            max_prompt_tokens: usize::MAX,
            n_answers: 1,
            batch_size: 8,
            stop: Vec::new(),
            sampling: SamplingOptions::default(),
        }
    }
}

impl Default for SamplingOptions {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            repetition_penalty: 1.0,
            seed: 0,
        }
    }
}

impl SamplingOptions {
    /// Returns what a `generation_config.json` asks for.
    pub(in crate::generation) fn of(config: &Fields) -> Self {
        let number = |name, default: f64| config.number(name).unwrap_or(default);
        let own = Self::default();
        let penalty = number("repetition_penalty", own.repetition_penalty);
        if config.flag("do_sample") != Some(true) {
            return Self {
                repetition_penalty: penalty,
                ..own
            };
        }
        let top_k = config.get("top_k").and_then(serde_json::Value::as_u64);
        Self {
            temperature: number("temperature", 1.0),
            // The library's own default.
            top_k: top_k.and_then(|k| usize::try_from(k).ok()).unwrap_or(50),
            top_p: number("top_p", 1.0),
            repetition_penalty: penalty,
            ..own
        }
    }
}

impl GenerationOptions {
    /// Fails for options that have no meaning.
    pub fn check(&self) -> Result<(), GenerationError> {
        let sampling = &self.sampling;
        let fail = |problem: &str| Err(GenerationError::Options(problem.to_owned()));
        if !(0.0..=100.0).contains(&sampling.temperature) {
            return fail("the temperature is a number from 0 (the most probable token) to 100");
        }
        if !(sampling.top_p > 0.0 && sampling.top_p <= 1.0) {
            return fail("top_p is a number above 0 and up to 1");
        }
        if !(sampling.repetition_penalty > 0.0 && sampling.repetition_penalty.is_finite()) {
            return fail("the repetition penalty is a number above 0; 1 changes nothing");
        }
        if self.n_answers > 1 && sampling.temperature == 0.0 {
            return fail("several answers per prompt differ only with a temperature above 0");
        }
        if self.n_answers == 0 || self.batch_size == 0 {
            return fail("there is at least one answer per prompt and per batch");
        }
        if self.max_new_tokens == Some(0) {
            return fail("an answer has at least one token");
        }
        Ok(())
    }

    /// Returns how many tokens the answer to a prompt may have, in a model with so many positions.
    pub(in crate::generation) fn budget(
        &self,
        n_prompt: usize,
        max_positions: usize,
    ) -> Result<usize, GenerationError> {
        let too_long = |limit, name, fix| GenerationError::TooLong {
            n_tokens: n_prompt,
            limit,
            name,
            fix,
        };
        if n_prompt > self.max_prompt_tokens {
            let fix = "shorten the text, or raise MAX_PROMPT_TOKENS";
            return Err(too_long(self.max_prompt_tokens, "MAX_PROMPT_TOKENS", fix));
        }
        if n_prompt >= max_positions {
            let fix = "shorten the text, or choose a model with a longer context";
            let limit = max_positions.saturating_sub(1);
            return Err(too_long(limit, "the model's context", fix));
        }
        let context = max_positions - n_prompt;
        match (self.max_new_tokens, self.max_length) {
            (Some(n_tokens), _) => Ok(n_tokens.min(context)),
            (None, Some(limit)) if limit <= n_prompt => {
                let fix = "it counts prompt and answer together; set MAX_NEW_TOKENS, which counts the answer alone";
                Err(too_long(limit.saturating_sub(1), "MAX_LENGTH", fix))
            }
            (None, Some(limit)) => Ok((limit - n_prompt).min(context)),
            (None, None) => Ok(context),
        }
    }
}
