//! Logistic regression over sparse rows, with the objective of scikit-learn's `LogisticRegression`.

use crate::{
    examples::Examples,
    newton::minimize,
    objective::Objective,
    probabilities::{sigmoid, softmax},
    rows::Entry,
    singletons::Singletons,
};

/// Classifies rows by weighted sums of their values.
///
/// Two classes share one weight per column, and the sum speaks for the second class; more classes
/// have one each.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticRegression {
    weights: Vec<f64>,
    intercepts: Vec<f64>,
}

impl LogisticRegression {
    /// Minimises the sum of the log losses plus half the squared weights over `c`; intercepts cost
    /// nothing.
    ///
    /// The objective is convex, and this finds its minimum: scikit-learn's answer for a tolerance
    /// of 0, where its usual answer stops early.
    pub fn fit(examples: &Examples<'_>, c: f64) -> Self {
        let singletons = Singletons::new(examples.rows, examples.n_columns);
        let rows = singletons.merged(examples.rows);
        let merged = Examples {
            rows: &rows,
            n_columns: singletons.n_merged_columns(),
            ..*examples
        };
        let objective = Objective::new(&merged, 1.0 / c);
        let n_outputs = objective.n_outputs();
        let mut parameters = minimize(&objective);
        let mut intercepts = parameters.split_off(merged.n_columns * n_outputs);
        balance(&mut intercepts);
        Self {
            weights: singletons.spread(examples.rows, &parameters, n_outputs),
            intercepts,
        }
    }

    /// Puts together what [`LogisticRegression::weights`] and [`LogisticRegression::intercepts`]
    /// returned.
    pub fn from_parts(weights: Vec<f64>, intercepts: Vec<f64>) -> Self {
        Self {
            weights,
            intercepts,
        }
    }

    /// Returns the weights: all of the first column, then all of the second, and so on.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Returns what is added to the sums.
    pub fn intercepts(&self) -> &[f64] {
        &self.intercepts
    }

    /// Returns the probability of each class. They add up to one, the last being what the others
    /// leave.
    pub fn probabilities(&self, row: &[Entry]) -> Vec<f64> {
        let n_outputs = self.intercepts.len();
        let mut outputs = self.intercepts.clone();
        for entry in row {
            let weights = &self.weights[entry.column as usize * n_outputs..][..n_outputs];
            for (output, weight) in outputs.iter_mut().zip(weights) {
                *output += entry.value * weight;
            }
        }
        if let [output] = *outputs {
            let second = sigmoid(output);
            return vec![1.0 - second, second];
        }
        softmax(&mut outputs);
        if let Some((last, others)) = outputs.split_last_mut() {
            *last = (1.0 - others.iter().sum::<f64>()).max(0.0);
        }
        outputs
    }
}

/// Makes the intercepts of more than two classes add up to 0, since a common shift changes nothing,
/// and clears what rounding left of a 0 so that classes without evidence tie.
fn balance(intercepts: &mut [f64]) {
    const ROUNDING: f64 = 1e-12;
    if intercepts.len() > 1 {
        let n_intercepts = intercepts.iter().fold(0.0, |n, _| n + 1.0);
        let mean = intercepts.iter().sum::<f64>() / n_intercepts;
        for intercept in intercepts.iter_mut() {
            *intercept -= mean;
        }
    }
    for intercept in intercepts {
        if intercept.abs() < ROUNDING {
            *intercept = 0.0;
        }
    }
}
