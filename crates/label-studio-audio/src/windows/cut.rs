//! Where audio is quiet.

use std::ops::Range;

/// Parts of a second that are compared.
const STEPS_PER_SECOND: usize = 100;
/// Steps whose mean counts: 0.2 s, about the pause between two words.
const N_STEPS: usize = 20;
/// A cut is silent where the power is at most this part of the mean: 20 dB less.
const SILENT_RATIO: f64 = 0.01;
/// Mean square of samples that are silent whatever is around them: -80 dB.
const SILENT_POWER: f64 = 1e-8;

/// A place to cut audio.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// First sample behind the cut.
    pub(super) at: usize,
    /// Whether nothing is said there.
    pub(super) is_silent: bool,
}

/// Returns the quietest place of samples within a range of them; the last one of several.
pub(super) fn quietest(samples: &[f32], range: Range<usize>, rate: u32) -> Cut {
    let step = (rate as usize / STEPS_PER_SECOND).max(1);
    let powers: Vec<f64> = samples[range.clone()]
        .chunks_exact(step)
        .map(power)
        .collect();
    if powers.len() < N_STEPS {
        return Cut {
            at: range.end,
            is_silent: false,
        };
    }
    let mut sum: f64 = powers[..N_STEPS].iter().sum();
    let (mut least, mut first) = (sum, 0);
    for idx in N_STEPS..powers.len() {
        sum += powers[idx] - powers[idx - N_STEPS];
        if sum <= least {
            (least, first) = (sum, idx + 1 - N_STEPS);
        }
    }
    let quiet = least.max(0.0) / (N_STEPS * step) as f64;
    let mean = power(samples) / samples.len().max(1) as f64;
    Cut {
        at: range.start + (first + N_STEPS / 2) * step,
        is_silent: quiet <= SILENT_POWER || quiet <= SILENT_RATIO * mean,
    }
}

/// Returns the sum of squares.
fn power(samples: &[f32]) -> f64 {
    let squares = samples.iter().map(|&sample| f64::from(sample).powi(2));
    squares.sum()
}
