//! Focal loss (Lin et al., "Focal Loss for Dense Object Detection", 2017).

/// Binary cross-entropy that counts what is known well already for little.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FocalLoss {
    /// Weight of what is to be found, the rest to 1 is that of what is not; `None` for equal ones.
    pub alpha: Option<f64>,
    /// How much less a sure answer counts; 0 for a plain cross-entropy.
    pub gamma: f64,
}

impl FocalLoss {
    /// Returns the loss of a logit, and its derivative.
    pub(crate) fn of(self, logit: f32, is_wanted: bool) -> (f64, f64) {
        let sign = if is_wanted { 1.0 } else { -1.0 };
        let x = sign * f64::from(logit);
        // The logarithm of the right answer's probability, without overflow.
        let log = x.min(0.0) - (-x.abs()).exp().ln_1p();
        let right = log.exp();
        let wrong = (-x).min(0.0) - (-x.abs()).exp().ln_1p();
        let wrong = wrong.exp();
        let weight = match self.alpha {
            None => 1.0,
            Some(alpha) if is_wanted => alpha,
            Some(alpha) => 1.0 - alpha,
        };
        let factor = weight * wrong.powf(self.gamma);
        let slope = factor * (self.gamma * right * log - wrong);
        (-factor * log, sign * slope)
    }
}

#[cfg(test)]
mod tests {
    use super::FocalLoss;

    #[test]
    fn the_derivative_is_the_slope_of_the_loss() {
        let losses = [(None, 0.0), (Some(0.75), 2.0), (Some(0.25), 1.5)]
            .map(|(alpha, gamma)| FocalLoss { alpha, gamma });
        for loss in losses {
            for logit in [-30.0_f32, -2.0, -0.1, 0.0, 0.7, 3.0, 30.0] {
                for is_wanted in [false, true] {
                    let step = 1.0 / 64.0;
                    let above = loss.of(logit + step, is_wanted).0;
                    let below = loss.of(logit - step, is_wanted).0;
                    let slope = (above - below) / f64::from(2.0 * step);
                    let (value, derivative) = loss.of(logit, is_wanted);
                    assert!(value >= 0.0 && value.is_finite(), "{value}");
                    assert!(
                        (slope - derivative).abs() < 1e-3,
                        "{loss:?} at {logit}: {slope}"
                    );
                }
            }
        }
    }

    #[test]
    fn without_focus_it_is_a_cross_entropy() {
        let loss = FocalLoss {
            alpha: None,
            gamma: 0.0,
        };
        assert!((loss.of(0.0, true).0 - 2.0_f64.ln()).abs() < 1e-12);
        assert!((loss.of(2.0, false).0 - (1.0 + 2.0_f64.exp()).ln()).abs() < 1e-7);
    }
}
