//! Ratings and other numbers.

use super::{number, ratio};

/// Returns the mean absolute difference of pairs; 0 without pairs.
pub fn mean_absolute_error(pairs: &[(f64, f64)]) -> f64 {
    let differences: Vec<_> = pairs
        .iter()
        .map(|(one, other)| (one - other).abs())
        .collect();
    mean(&differences)
}

/// Returns the mean of numbers; 0 without numbers.
pub fn mean(numbers: &[f64]) -> f64 {
    ratio(numbers.iter().sum(), number(numbers.len()))
}
