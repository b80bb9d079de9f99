//! Sizes of a network that labels the rows of series.

use serde::{Deserialize, Serialize};

use crate::checkpoint::CheckpointError;

/// Widest layer, and most inputs and classes: a config with more is damaged.
const MAX_SIZE: usize = 1 << 14;
const MAX_LAYERS: usize = 16;

/// Sizes of a [`SeriesNetwork`](super::SeriesNetwork).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeriesSizes {
    /// Numbers in each row.
    pub n_channels: usize,
    /// Classes that a row may have.
    pub n_classes: usize,
    /// Width of the first layer.
    pub width: usize,
    /// Width of the state of a recurrent layer, in each direction.
    pub n_hidden: usize,
    /// Recurrent layers.
    pub n_layers: usize,
    /// How much is dropped while it learns.
    pub dropouts: SeriesDropouts,
}

/// Shares of values that are set to 0 at random while a network learns.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SeriesDropouts {
    /// Behind the normalization.
    pub input: f32,
    /// Between recurrent layers.
    pub recurrent: f32,
    /// Behind the last recurrent layer.
    pub output: f32,
}

impl SeriesSizes {
    /// Checks that a network can have these sizes.
    pub(crate) fn check(&self) -> Result<(), CheckpointError> {
        let sizes = [
            ("n_channels", self.n_channels, MAX_SIZE),
            ("n_classes", self.n_classes, MAX_SIZE),
            ("width", self.width, MAX_SIZE),
            ("n_hidden", self.n_hidden, MAX_SIZE),
            ("n_layers", self.n_layers, MAX_LAYERS),
        ];
        for (name, size, limit) in sizes {
            if !(1..=limit).contains(&size) {
                let problem = format!("{size} is not from 1 to {limit}");
                return Err(CheckpointError::Size { name, problem });
            }
        }
        let SeriesDropouts {
            input,
            recurrent,
            output,
        } = self.dropouts;
        for dropout in [input, recurrent, output] {
            if !(0.0..1.0).contains(&dropout) {
                return Err(CheckpointError::Size {
                    name: "dropout",
                    problem: format!("{dropout} is not from 0 to below 1"),
                });
            }
        }
        Ok(())
    }
}
