//! Work that outlives the request which asked for it.

pub(crate) mod fit;
pub(crate) mod intake;
pub(crate) mod runner;
pub(crate) mod training;
mod waiters;
