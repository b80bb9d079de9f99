//! How much a network exaggerates.

/// Returns the temperature with the lowest loss: logits are divided by it (Guo et al., "On
/// Calibration of Modern Neural Networks", 2017). Found by golden section between 1/4 and 8.
pub(crate) fn best_temperature(loss: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let (mut low, mut high) = (0.25_f64.ln(), 8.0_f64.ln());
    for _ in 0..40 {
        let step = (high - low) * GOLDEN;
        if loss((high - step).exp()) < loss((low + step).exp()) {
            high = low + step;
        } else {
            low = high - step;
        }
    }
    f64::midpoint(low, high).exp()
}

#[cfg(test)]
mod tests {
    use super::best_temperature;

    #[test]
    fn finds_the_lowest_loss() {
        let found = best_temperature(|temperature| (temperature - 3.0).powi(2));
        assert!((found - 3.0).abs() < 1e-3, "{found}");
        let found = best_temperature(|temperature| temperature);
        assert!((found - 0.25).abs() < 1e-3, "{found}");
    }
}
