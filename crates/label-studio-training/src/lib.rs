//! Networks that learn from annotations: transformer encoders, and networks for series of numbers.
//!
//! - [`Checkpoint`]: the files of a model, from a folder or a hub, as Python's `transformers` has
//!   them.
//! - [`Network`]: an encoder of the BERT family with a head that labels texts or tokens.
//! - [`SpanNetwork`]: an encoder that scores the spans of a text for labels that are given with it.
//! - [`series`]: recurrent networks that label the rows of series of numbers.
//! - [`Inference`], [`SpanInference`]: a network that many threads ask.
//! - [`Training`]: epochs of AdamW, with a held-out score, the best epoch and a resumable state;
//!   [`Stepper`] is one step at a time.
//! - [`Crf`]: the best labels of a chain, and the loss of known ones.
//!
//! There is no graph and no padding: the texts of a batch lie one after the other, and forward and
//! backward pass are written out for this one architecture. Products of matrices are `faer`'s, whose
//! kernel is chosen when the program runs.
//!
//! ```
//! use label_studio_training::TrainingOptions;
//!
//! let options = TrainingOptions { n_epochs: 2, ..TrainingOptions::default() };
//! assert_eq!(options.steps_per_epoch(20), 3);
//! assert_eq!(options.learning_rate_at(6, 6), 0.0);
//! ```

mod checkpoint;
mod inference;
mod learning;
mod network;
mod numbers;

pub use checkpoint::{
    Checkpoint, CheckpointError, Family, FinetunedFolder, ModelConfig, SpanCheckpoint, SpanConfig,
    SpanWeights, Task,
};
pub use inference::{Inference, SpanInference};
pub use learning::{
    Crf, CrfGradients, Epoch, Example, FocalLoss, Goal, Observer, Outcome, Progress, Schedule,
    Score, SpanExample, SpanOutcome, SpanScore, SpanStepper, SpanTarget, SpanTraining, Stepper,
    Training, TrainingError, TrainingOptions, WeightDecay, held_out_texts, parse_not_negative,
    parse_positive, share, state_file,
};
pub use network::{Network, NetworkError, SpanNetwork, SpanText, SpanWorkspace, Tokens, Workspace};

pub mod series {
    //! Networks that label the rows of series of numbers, and their training.

    pub use crate::{
        inference::SeriesInference,
        learning::{
            ClassScores, Confusion, SeriesExample, SeriesOutcome, SeriesScore, SeriesStepper,
            SeriesTraining,
        },
        network::{SeriesDropouts, SeriesNetwork, SeriesSizes, SeriesWorkspace},
    };
}
