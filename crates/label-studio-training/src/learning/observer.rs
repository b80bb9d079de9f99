//! What a job says of a training.

use std::ops::ControlFlow;

use super::course::Progress;

/// Tells a job how far a training is, and ends the training when the job is cancelled.
pub struct Observer<'a> {
    /// Name of the held-out score, such as `held-out F1`.
    pub score: &'a str,
    /// Whether the training shall end.
    pub is_cancelled: &'a dyn Fn() -> bool,
    /// Gets the part that is done, from 0 to 1, and a message.
    pub progress: &'a dyn Fn(f64, &str),
    /// Gets a line for each epoch.
    pub log: &'a dyn Fn(&str),
}

impl Observer<'_> {
    /// Looks at a step.
    pub fn see(&self, progress: Progress<'_>) -> ControlFlow<()> {
        if (self.is_cancelled)() {
            return ControlFlow::Break(());
        }
        let message = format!("step {} of {}", progress.step, progress.n_steps);
        (self.progress)(share(progress.step, progress.n_steps), &message);
        if let Some(epoch) = progress.epoch {
            let score = epoch
                .held_out_score
                .map_or_else(String::new, |score| format!(", {} {score:.3}", self.score));
            (self.log)(&format!("{message}: loss {:.4}{score}", epoch.loss));
        }
        ControlFlow::Continue(())
    }
}

/// Returns a part of a whole; of nothing it is 0.
#[expect(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
pub fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}
