//! Epochs of a training.

use serde::{Deserialize, Serialize};

/// How an epoch went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Mean loss of its steps.
    pub loss: f64,
    /// Mean loss of the held-out rows.
    pub held_out_loss: Option<f64>,
    /// Score of the held-out examples.
    pub held_out_score: Option<f64>,
}
