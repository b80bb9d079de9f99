//! From outputs to probabilities.

/// Turns the output of two classes into the probability of the second.
pub(crate) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Turns outputs into probabilities and returns the logarithm of their sum of exponentials.
pub(crate) fn softmax(outputs: &mut [f64]) -> f64 {
    let max = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for output in outputs.iter_mut() {
        *output = (*output - max).exp();
        sum += *output;
    }
    for output in outputs {
        *output /= sum;
    }
    max + sum.ln()
}
