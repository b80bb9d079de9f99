//! How sure a metric is: bootstrap over tasks.

use super::number;

/// A value, and the range that 95 % of the resampled values lie in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The metric of all tasks.
    pub value: f64,
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}

/// Computes a metric of tasks, and again of `n_samples` draws of as many tasks with replacement. The draws are the same each
/// time.
///
/// `None` when the metric is undefined for all tasks together; draws for which it is do not count.
pub fn bootstrap<T>(
    tasks: &[T],
    n_samples: usize,
    metric: impl Fn(&[&T]) -> Option<f64>,
) -> Option<Interval> {
    let value = metric(&tasks.iter().collect::<Vec<_>>())?;
    let mut random = SplitMix(1);
    let mut draw = || {
        let drawn: Vec<_> = tasks
            .iter()
            .map(|_| &tasks[random.below(tasks.len())])
            .collect();
        metric(&drawn)
    };
    let mut values: Vec<f64> = (0..n_samples).filter_map(|_| draw()).collect();
    values.sort_by(f64::total_cmp);
    Some(Interval {
        value,
        low: percentile(&values, 0.025).unwrap_or(value),
        high: percentile(&values, 0.975).unwrap_or(value),
    })
}

/// Returns a percentile of sorted values, interpolated as numpy does by default.
fn percentile(sorted: &[f64], fraction: f64) -> Option<f64> {
    let place = fraction * number(sorted.len().checked_sub(1)?);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and the number of values"
    )]
    let below = place.floor() as usize;
    let low = sorted.get(below)?;
    let high = sorted.get(below + 1).unwrap_or(low);
    Some(low + (high - low) * place.fract())
}

/// The generator `SplitMix64` (Steele, Lea, Flood 2014): its numbers are the same everywhere.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `limit`, which is far below 2^64.
    fn below(&mut self, limit: usize) -> usize {
        let scaled = (u128::from(self.next()) * limit as u128) >> 64;
        usize::try_from(scaled).expect("it is below a usize")
    }
}
