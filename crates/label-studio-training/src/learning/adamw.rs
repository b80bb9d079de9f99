//! Adam and AdamW in one pass over parameters, gradients and moments.

use pulp::Arch;

use super::options::WeightDecay;
use crate::{
    network::{Gradients, Parameters, Part},
    numbers::rows::sum_of_squares,
};

/// The moments of all gradients.
#[derive(Debug)]
pub(crate) struct AdamW {
    pub(crate) first: Vec<f32>,
    pub(crate) second: Vec<f32>,
    /// Which words ever had a gradient: the moments of the others are 0.
    seen: Vec<bool>,
    pub(crate) n_steps: usize,
}

/// The numbers of one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepRates {
    pub(crate) learning_rate: f64,
    /// Learning rate of what is not the encoder.
    pub(crate) head_learning_rate: f64,
    pub(crate) weight_decay: f64,
    pub(crate) weight_decay_kind: WeightDecay,
    pub(crate) betas: (f64, f64),
    pub(crate) eps: f64,
    /// What gradients are multiplied with: clips their norm.
    pub(crate) scale: f64,
}

#[derive(Debug, Clone, Copy)]
struct Rates {
    beta1: f32,
    beta2: f32,
    step: f32,
    /// One over the square root of the correction of the second moment.
    correction: f32,
    eps: f32,
    kept: f32,
    /// What a value adds to its gradient.
    penalty: f32,
    scale: f32,
}

struct Slices<'a> {
    values: &'a mut [f32],
    gradients: &'a mut [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl AdamW {
    pub(crate) fn new(parameters: &Parameters) -> Self {
        let n_values = parameters.values.len();
        Self {
            first: vec![0.0; n_values],
            second: vec![0.0; n_values],
            seen: vec![false; parameters.n_words()],
            n_steps: 0,
        }
    }

    /// Finds out which words have moments, after those were read from a file.
    pub(crate) fn find_seen(&mut self, parameters: &Parameters) {
        let moments = &self.second[parameters.words.clone()];
        let rows = moments.chunks_exact(parameters.word_width);
        for (seen, row) in self.seen.iter_mut().zip(rows) {
            *seen = row.iter().any(|value| *value != 0.0);
        }
    }

    /// Changes the parameters, and sets the gradients to 0.
    pub(crate) fn step(
        &mut self,
        parameters: &mut Parameters,
        gradients: &mut Gradients,
        rates: StepRates,
    ) {
        self.n_steps += 1;
        for (seen, touched) in self.seen.iter_mut().zip(&gradients.touched) {
            *seen |= touched;
        }
        for tensor in &parameters.tensors {
            let learning_rate = match tensor.part {
                Part::Encoder => rates.learning_rate,
                Part::Head => rates.head_learning_rate,
            };
            let own = StepRates {
                learning_rate,
                ..rates
            };
            let own = Rates::new(own, tensor.decays, self.n_steps);
            let range = tensor.range.clone();
            let slices = Slices {
                values: &mut parameters.values[range.clone()],
                gradients: &mut gradients.values[range.clone()],
                first: &mut self.first[range.clone()],
                second: &mut self.second[range.clone()],
            };
            if range == parameters.words {
                slices.update_words(parameters.word_width, &self.seen, own);
            } else {
                slices.update(own);
            }
        }
        gradients.touched.fill(false);
    }
}

impl Rates {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the parameters have single precision"
    )]
    fn new(step: StepRates, decays: bool, n_steps: usize) -> Self {
        let (beta1, beta2) = step.betas;
        let power = |beta: f64| 1.0 - beta.powi(i32::try_from(n_steps).unwrap_or(i32::MAX));
        let (decay, penalty) = match step.weight_decay_kind {
            WeightDecay::Decoupled if decays => (step.weight_decay, 0.0),
            WeightDecay::Decoupled => (0.0, 0.0),
            WeightDecay::Penalty => (0.0, step.weight_decay),
        };
        Self {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            step: (step.learning_rate / power(beta1)) as f32,
            correction: (1.0 / power(beta2).sqrt()) as f32,
            eps: step.eps as f32,
            kept: (1.0 - step.learning_rate * decay) as f32,
            penalty: penalty as f32,
            scale: step.scale as f32,
        }
    }
}

impl Slices<'_> {
    fn update(self, rates: Rates) {
        let Self {
            values,
            gradients,
            first,
            second,
        } = self;
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let moments = first.iter_mut().zip(second);
                for ((value, gradient), (m, v)) in values.iter_mut().zip(gradients).zip(moments) {
                    let g = *gradient * rates.scale + rates.penalty * *value;
                    *m = rates.beta1 * *m + (1.0 - rates.beta1) * g;
                    *v = rates.beta2 * *v + (1.0 - rates.beta2) * g * g;
                    let deviation = v.sqrt() * rates.correction + rates.eps;
                    *value = *value * rates.kept - rates.step * *m / deviation;
                    *gradient = 0.0;
                }
            },
        );
    }

    /// Updates rows of which most never had a gradient: there, only the decay matters.
    fn update_words(self, width: usize, seen: &[bool], rates: Rates) {
        let Self {
            values,
            gradients,
            first,
            second,
        } = self;
        let values = values.chunks_exact_mut(width);
        let gradients = gradients.chunks_exact_mut(width);
        let moments = first
            .chunks_exact_mut(width)
            .zip(second.chunks_exact_mut(width));
        for (((values, gradients), (first, second)), seen) in
            values.zip(gradients).zip(moments).zip(seen)
        {
            if *seen {
                let row = Slices {
                    values,
                    gradients,
                    first,
                    second,
                };
                row.update(rates);
            } else if rates.kept < 1.0 {
                for value in values {
                    *value *= rates.kept;
                }
            }
        }
    }
}

/// Returns the norm of all gradients together.
pub(crate) fn gradient_norm(parameters: &Parameters, gradients: &Gradients) -> f64 {
    let others: f64 = parameters
        .tensors
        .iter()
        .filter(|tensor| tensor.range != parameters.words)
        .map(|tensor| sum_of_squares(&gradients.values[tensor.range.clone()]))
        .sum();
    let words = &gradients.values[parameters.words.clone()];
    let rows = words.chunks_exact(parameters.word_width);
    let touched = rows
        .zip(&gradients.touched)
        .filter(|(_, touched)| **touched);
    let words: f64 = touched.map(|(row, _)| sum_of_squares(row)).sum();
    (others + words).sqrt()
}
