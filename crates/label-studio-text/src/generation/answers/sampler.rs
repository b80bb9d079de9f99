//! Chooses the next token.

use std::{cmp::Ordering, collections::HashSet};

use super::{SamplingOptions, random::Random};

/// Chooses the tokens of an answer.
#[derive(Debug, Clone)]
pub(super) struct Sampler {
    options: SamplingOptions,
    random: Random,
    /// Tokens that the text has.
    seen: HashSet<u32>,
}

/// A token that was chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    pub(super) id: u32,
    /// How probable the model holds it, whatever the options.
    pub(super) probability: f64,
}

impl Sampler {
    /// Creates the sampler of an answer, of which a prompt has several.
    pub(super) fn new(options: SamplingOptions, answer: u64, prompt: &[u32]) -> Self {
        let needs_seen = options.repetition_penalty.to_bits() != 1.0_f64.to_bits();
        Self {
            options,
            random: Random::new(options.seed, answer),
            seen: if needs_seen {
                prompt.iter().copied().collect()
            } else {
                HashSet::new()
            },
        }
    }

    /// Chooses a token by the logits of all of them.
    pub(super) fn choose(&mut self, logits: &[f32]) -> Choice {
        let has_penalty = self.options.repetition_penalty.to_bits() != 1.0_f64.to_bits();
        let idx = if has_penalty {
            self.index(&self.penalized(logits))
        } else {
            self.index(logits)
        };
        let id = u32::try_from(idx).expect("a vocabulary has fewer than 2^32 tokens");
        if has_penalty {
            self.seen.insert(id);
        }
        let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = logits
            .iter()
            .map(|logit| f64::from((logit - largest).exp()))
            .sum();
        let probability = f64::from((logits[idx] - largest).exp()) / sum;
        Choice { id, probability }
    }

    fn penalized(&self, logits: &[f32]) -> Vec<f32> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "logits have single precision"
        )]
        let penalty = self.options.repetition_penalty as f32;
        let mut logits = logits.to_vec();
        for id in &self.seen {
            let idx = usize::try_from(*id).unwrap_or(usize::MAX);
            if let Some(logit) = logits.get_mut(idx) {
                *logit = if *logit < 0.0 {
                    *logit * penalty
                } else {
                    *logit / penalty
                };
            }
        }
        logits
    }

    fn index(&mut self, logits: &[f32]) -> usize {
        let temperature = self.options.temperature;
        if temperature == 0.0 {
            // Of equal ones the first, as the library does.
            let mut best = 0;
            for (idx, logit) in logits.iter().enumerate() {
                if *logit > logits[best] {
                    best = idx;
                }
            }
            return best;
        }
        let mut order: Vec<usize> = (0..logits.len()).collect();
        let descending = |x: &usize, y: &usize| {
            let by_logit = logits[*y].partial_cmp(&logits[*x]);
            by_logit.unwrap_or(Ordering::Equal).then(x.cmp(y))
        };
        let top_k = self.options.top_k;
        if top_k > 0 && top_k < order.len() {
            order.select_nth_unstable_by(top_k - 1, descending);
            order.truncate(top_k);
        }
        order.sort_unstable_by(descending);
        let largest = f64::from(logits[order[0]]);
        let weight = |idx: &usize| ((f64::from(logits[*idx]) - largest) / temperature).exp();
        let mut weights: Vec<f64> = order.iter().map(weight).collect();
        let mut sum: f64 = weights.iter().sum();
        if self.options.top_p < 1.0 {
            let (limit, mut so_far) = (self.options.top_p * sum, 0.0);
            let is_enough = |weight: &f64| {
                so_far += weight;
                so_far >= limit
            };
            let n_kept = weights
                .iter()
                .position(is_enough)
                .map_or(weights.len(), |idx| idx + 1);
            weights.truncate(n_kept);
            sum = weights.iter().sum();
        }
        let mut rest = self.random.fraction() * sum;
        let drawn = weights.iter().position(|weight| {
            rest -= weight;
            rest < 0.0
        });
        order[drawn.unwrap_or(weights.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::{Sampler, SamplingOptions};

    const LOGITS: [f32; 4] = [1.0, 3.0, 2.0, 0.0];

    fn counts(options: SamplingOptions) -> [usize; 4] {
        let mut counts = [0; 4];
        let mut sampler = Sampler::new(options, 0, &[]);
        for _ in 0..10_000 {
            counts[sampler.choose(&LOGITS).id as usize] += 1;
        }
        counts
    }

    fn drawn() -> SamplingOptions {
        SamplingOptions {
            temperature: 1.0,
            ..SamplingOptions::default()
        }
    }

    #[test]
    fn without_temperature_the_most_probable_token_is_taken() {
        let mut sampler = Sampler::new(SamplingOptions::default(), 0, &[]);
        let choice = sampler.choose(&LOGITS);
        assert_eq!(choice.id, 1);
        assert!((choice.probability - 0.643_914).abs() < 1e-5, "{choice:?}");
        assert_eq!(sampler.choose(&[2.0, 2.0]).id, 0);
    }

    #[test]
    fn tokens_are_drawn_as_often_as_they_are_probable() {
        let expected = [0.0871, 0.6439, 0.2369, 0.0321];
        for (count, expected) in counts(drawn()).into_iter().zip(expected) {
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let share = count as f64 / 10_000.0;
            assert!((share - expected).abs() < 0.02, "{share} {expected}");
        }
    }

    #[test]
    fn top_k_and_top_p_leave_the_most_probable_tokens() {
        let [first, _, third, fourth] = counts(SamplingOptions {
            top_k: 2,
            ..drawn()
        });
        assert_eq!((first, fourth), (0, 0));
        assert!(third > 2000);
        let [first, _, third, fourth] = counts(SamplingOptions {
            top_p: 0.7,
            ..drawn()
        });
        assert_eq!((first, fourth), (0, 0));
        assert!(third > 2000);
        let only = counts(SamplingOptions {
            top_p: 0.6,
            ..drawn()
        });
        assert_eq!(only, [0, 10_000, 0, 0]);
    }

    #[test]
    fn a_penalty_makes_tokens_of_the_text_less_probable() {
        let options = SamplingOptions {
            repetition_penalty: 2.0,
            ..SamplingOptions::default()
        };
        let mut sampler = Sampler::new(options, 0, &[1]);
        let choice = sampler.choose(&LOGITS);
        assert_eq!(choice.id, 2);
        assert!((choice.probability - 0.2369).abs() < 1e-3, "{choice:?}");
        // Now 2 is in the text as well.
        assert_eq!(sampler.choose(&[-1.0, -1.0, -1.5, -4.0]).id, 0);
    }

    #[test]
    fn the_same_seed_draws_the_same_tokens() {
        let draw = |seed, answer| {
            let options = SamplingOptions { seed, ..drawn() };
            let mut sampler = Sampler::new(options, answer, &[]);
            (0..40)
                .map(|_| sampler.choose(&LOGITS).id)
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(1, 0), draw(1, 0));
        assert_ne!(draw(1, 0), draw(2, 0));
        assert_ne!(draw(1, 0), draw(1, 1));
    }
}
