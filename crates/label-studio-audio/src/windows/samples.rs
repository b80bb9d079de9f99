//! Sources of samples.

use std::convert::Infallible;

/// A source of samples of one channel.
pub trait Samples {
    /// Why samples cannot be read.
    type Error;

    /// Returns the next `n_samples` samples; fewer only at the end.
    fn read(&mut self, n_samples: usize) -> Result<Vec<f32>, Self::Error>;
}

/// Samples that are all in memory.
#[derive(Debug, Clone, Default)]
pub struct AllSamples(pub Vec<f32>);

impl Samples for AllSamples {
    type Error = Infallible;

    fn read(&mut self, n_samples: usize) -> Result<Vec<f32>, Infallible> {
        let rest = self.0.split_off(n_samples.min(self.0.len()));
        Ok(std::mem::replace(&mut self.0, rest))
    }
}
