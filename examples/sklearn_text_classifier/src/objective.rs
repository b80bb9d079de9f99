//! What the solver minimises: the log losses of all examples plus a penalty on the weights.

use crate::{
    examples::Examples,
    probabilities::{sigmoid, softmax},
    rows::Rows,
};

/// The objective over one vector of parameters: the weights, column by column, then the intercepts.
pub(crate) struct Objective<'a> {
    rows: &'a Rows,
    classes: &'a [usize],
    n_columns: usize,
    n_outputs: usize,
    penalty: f64,
}

/// The state of every example at one point: its probabilities, and the slope of the loss.
pub(crate) struct Point {
    /// Per example and output: the probability. Two classes keep only the second's.
    probabilities: Vec<f64>,
    /// Value of the objective.
    pub(crate) value: f64,
}

impl<'a> Objective<'a> {
    pub(crate) fn new(examples: &Examples<'a>, penalty: f64) -> Self {
        Self {
            rows: examples.rows,
            classes: examples.classes,
            n_columns: examples.n_columns,
            n_outputs: if examples.n_classes == 2 {
                1
            } else {
                examples.n_classes
            },
            penalty,
        }
    }

    pub(crate) fn n_outputs(&self) -> usize {
        self.n_outputs
    }

    pub(crate) fn n_parameters(&self) -> usize {
        (self.n_columns + 1) * self.n_outputs
    }

    pub(crate) fn penalty(&self) -> f64 {
        self.penalty
    }

    /// Returns the outputs of all examples, which are linear in the parameters.
    pub(crate) fn outputs(&self, parameters: &[f64]) -> Vec<f64> {
        let n = self.n_outputs;
        let (weights, intercepts) = parameters.split_at(self.n_columns * n);
        let mut outputs = Vec::with_capacity(self.rows.len() * n);
        for row in self.rows.iter() {
            let start = outputs.len();
            outputs.extend_from_slice(intercepts);
            let sums = &mut outputs[start..];
            for entry in row {
                let weights = &weights[entry.column as usize * n..][..n];
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += entry.value * weight;
                }
            }
        }
        outputs
    }

    /// Evaluates the objective where the examples have these outputs and the squared weights this
    /// sum.
    pub(crate) fn point(&self, outputs: &[f64], squared_weights: f64) -> Point {
        let mut probabilities = outputs.to_vec();
        let mut value = 0.5 * self.penalty * squared_weights;
        if self.n_outputs == 1 {
            for (probability, &class) in probabilities.iter_mut().zip(self.classes) {
                let output = *probability;
                let against = if class == 1 { -output } else { output };
                value += against.max(0.0) + (-against.abs()).exp().ln_1p();
                *probability = sigmoid(output);
            }
        } else {
            let examples = probabilities.chunks_exact_mut(self.n_outputs);
            for (outputs, &class) in examples.zip(self.classes) {
                let output = outputs[class];
                value += softmax(outputs) - output;
            }
        }
        Point {
            probabilities,
            value,
        }
    }

    /// Returns the gradient at `point`, whose parameters these are.
    pub(crate) fn gradient(&self, point: &Point, parameters: &[f64]) -> Vec<f64> {
        let mut slopes = point.probabilities.clone();
        for (slopes, &class) in slopes.chunks_exact_mut(self.n_outputs).zip(self.classes) {
            match slopes {
                [slope] => *slope -= if class == 1 { 1.0 } else { 0.0 },
                slopes => slopes[class] -= 1.0,
            }
        }
        self.pull_back(&slopes, parameters)
    }

    /// Returns the Hessian at `point` times `direction`.
    pub(crate) fn curvature_along(&self, point: &Point, direction: &[f64]) -> Vec<f64> {
        let mut changes = self.outputs(direction);
        let examples = changes.chunks_exact_mut(self.n_outputs);
        for (changes, probabilities) in
            examples.zip(point.probabilities.chunks_exact(self.n_outputs))
        {
            if let ([change], [p]) = (&mut *changes, probabilities) {
                *change *= p * (1.0 - p);
                continue;
            }
            let mean: f64 = changes
                .iter()
                .zip(probabilities)
                .map(|(change, p)| change * p)
                .sum();
            for (change, p) in changes.iter_mut().zip(probabilities) {
                *change = p * (*change - mean);
            }
        }
        self.pull_back(&changes, direction)
    }

    /// Returns the diagonal of the Hessian at `point`.
    pub(crate) fn diagonal(&self, point: &Point) -> Vec<f64> {
        let n = self.n_outputs;
        let mut diagonal = vec![self.penalty; self.n_parameters()];
        let (weights, intercepts) = diagonal.split_at_mut(self.n_columns * n);
        intercepts.fill(0.0);
        for (row, probabilities) in self.rows.iter().zip(point.probabilities.chunks_exact(n)) {
            for (k, p) in probabilities.iter().enumerate() {
                let curvature = p * (1.0 - p);
                intercepts[k] += curvature;
                for entry in row {
                    weights[entry.column as usize * n + k] += curvature * entry.value * entry.value;
                }
            }
        }
        diagonal
    }

    /// Returns the sum of the squared weights, intercepts left out, of the product of two parameter
    /// vectors.
    pub(crate) fn weights_dot(&self, a: &[f64], b: &[f64]) -> f64 {
        let n_weights = self.n_columns * self.n_outputs;
        dot(&a[..n_weights], &b[..n_weights])
    }

    /// Sums what each example says about each parameter, and adds the penalty's part.
    fn pull_back(&self, of_outputs: &[f64], parameters: &[f64]) -> Vec<f64> {
        let n = self.n_outputs;
        let mut sums = parameters.to_vec();
        let (weights, intercepts) = sums.split_at_mut(self.n_columns * n);
        for weight in weights.iter_mut() {
            *weight *= self.penalty;
        }
        intercepts.fill(0.0);
        for (row, outputs) in self.rows.iter().zip(of_outputs.chunks_exact(n)) {
            for (intercept, output) in intercepts.iter_mut().zip(outputs) {
                *intercept += output;
            }
            for entry in row {
                let weights = &mut weights[entry.column as usize * n..][..n];
                for (weight, output) in weights.iter_mut().zip(outputs) {
                    *weight += entry.value * output;
                }
            }
        }
        sums
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
