//! Fine-tuning: losses, the optimizer, and a training from its first to its last epoch.

mod adamw;
mod calibration;
mod confusion;
mod course;
mod crf;
mod epoch;
mod example;
mod flags;
mod focal;
#[cfg(test)]
mod gradient_check;
mod held_out;
mod loss;
mod observer;
mod options;
mod order;
mod series_training;
mod span_training;
mod state;
mod stepper;
mod steps;
mod training;

pub use confusion::{ClassScores, Confusion};
pub use course::{Progress, TrainingError};
pub use crf::{Crf, CrfGradients};
pub use epoch::Epoch;
pub use example::Example;
pub use flags::{parse_not_negative, parse_positive};
pub use focal::FocalLoss;
pub use held_out::held_out_texts;
pub use observer::{Observer, share};
pub use options::{Goal, Schedule, TrainingOptions, WeightDecay};
pub use series_training::{
    SeriesExample, SeriesOutcome, SeriesScore, SeriesStepper, SeriesTraining,
};
pub use span_training::{
    SpanExample, SpanOutcome, SpanScore, SpanStepper, SpanTarget, SpanTraining,
};
pub use state::state_file;
pub use stepper::Stepper;
pub use training::{Outcome, Score, Training};
