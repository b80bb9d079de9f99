//! Values of channels, scaled to a mean of 0 and a deviation of 1.

use serde::{Deserialize, Serialize};

/// Largest scaled value: sums of squares of larger ones would overflow.
const MAX_SCALED: f32 = 1e6;

/// Mean and standard deviation of each channel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    means: Vec<f64>,
    deviations: Vec<f64>,
}

impl Scaling {
    /// Leaves values as they are.
    pub fn identity(n_channels: usize) -> Self {
        Self {
            means: vec![0.0; n_channels],
            deviations: vec![1.0; n_channels],
        }
    }

    /// Measures the channels of rows that lie one behind the other. Gaps count for nothing, and a
    /// channel that never changes keeps its deviation of 1.
    pub fn of(series: &[&[f32]], n_channels: usize) -> Self {
        let mut scaling = Self::identity(n_channels);
        for channel in 0..n_channels {
            let values = series
                .iter()
                .flat_map(|rows| rows.iter().skip(channel).step_by(n_channels))
                .filter(|value| value.is_finite())
                .map(|value| f64::from(*value));
            // Welford's algorithm.
            let (mut n, mut mean, mut sum_of_squares) = (0.0, 0.0, 0.0);
            for value in values {
                n += 1.0;
                let difference: f64 = value - mean;
                mean += difference / n;
                sum_of_squares += difference * (value - mean);
            }
            let deviation = if n > 0.0 {
                (sum_of_squares / n).sqrt()
            } else {
                0.0
            };
            scaling.means[channel] = mean;
            if deviation.is_finite() && deviation > f64::from(f32::MIN_POSITIVE) {
                scaling.deviations[channel] = deviation;
            }
        }
        scaling
    }

    /// Returns how many channels it knows.
    pub fn n_channels(&self) -> usize {
        self.means.len().min(self.deviations.len())
    }

    /// Scales the values of a row; a gap becomes the mean. What is beyond a million deviations counts
    /// as that much.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the network calculates in single precision"
    )]
    pub fn apply<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let known = self.means.iter().zip(&self.deviations);
        row.iter().zip(known).map(|(value, (mean, deviation))| {
            let scaled = ((f64::from(*value) - mean) / deviation) as f32;
            if scaled.is_nan() {
                return 0.0;
            }
            scaled.clamp(-MAX_SCALED, MAX_SCALED)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Scaling;

    #[test]
    fn channels_get_a_mean_of_0_and_a_deviation_of_1_whatever_they_hold() {
        let rows = [1.0, 5.0, f32::NAN, 5.0, 3.0, 5.0];
        let scaling = Scaling::of(&[&rows, &[]], 2);
        let scaled = |row: &[f32]| scaling.apply(row).collect::<Vec<_>>();
        assert_eq!(scaled(&[1.0, 5.0]), [-1.0, 0.0]);
        assert_eq!(
            scaled(&[3.0, 6.0]),
            [1.0, 1.0],
            "a constant channel is moved only"
        );
        assert_eq!(
            scaled(&[f32::NAN, f32::NAN]),
            [0.0, 0.0],
            "a gap is the mean"
        );
        assert_eq!(scaled(&[f32::MAX, f32::MIN]), [1e6, -1e6]);
        assert_eq!(Scaling::of(&[], 1), Scaling::identity(1));
    }
}
