//! The log: lines on standard output that never delay or fail a request.

pub(crate) mod line;
pub(crate) mod predictions;
mod regions;
pub(crate) mod start;
pub(crate) mod writer;
