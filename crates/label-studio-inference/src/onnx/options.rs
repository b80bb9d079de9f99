//! How each model is run.

use super::Device;

/// How each model is run.
#[derive(Debug, Clone, Copy)]
pub(super) struct SessionOptions {
    pub(super) device: Device,
    pub(super) n_sessions: usize,
    pub(super) n_threads: usize,
    pub(super) spinning: bool,
}
