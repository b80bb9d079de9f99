//! Values of channels, scaled to a mean of 0 and a deviation of 1.

use serde::{Deserialize, Serialize};

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

    /// Scales the values of a row; a gap becomes the mean.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the network calculates in single precision"
    )]
    pub fn apply<'a>(&'a self, row: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let known = self.means.iter().zip(&self.deviations);
        row.iter().zip(known).map(|(value, (mean, deviation))| {
            let scaled = ((f64::from(*value) - mean) / deviation) as f32;
            if scaled.is_finite() { scaled } else { 0.0 }
        })
    }
}
