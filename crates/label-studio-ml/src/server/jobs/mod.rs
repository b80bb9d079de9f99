//! Work that outlives the request which asked for it.

mod error_log;
pub(crate) mod fit;
pub(crate) mod intake;
pub(crate) mod runner;
pub(crate) mod training;
mod waiters;
pub(crate) mod work;
