//! Fine-tuning: losses, the optimizer, and a training from its first to its last epoch.

mod adamw;
mod calibration;
mod course;
mod epoch;
mod example;
mod flags;
#[cfg(test)]
mod gradient_check;
mod held_out;
mod loss;
mod options;
mod order;
mod state;
mod stepper;
mod steps;
mod training;

pub use course::{Progress, TrainingError};
pub use epoch::Epoch;
pub use example::Example;
pub use flags::{parse_not_negative, parse_positive};
pub use held_out::held_out_texts;
pub use options::{Schedule, TrainingOptions};
pub use state::state_file;
pub use stepper::Stepper;
pub use training::{Outcome, Score, Training};
