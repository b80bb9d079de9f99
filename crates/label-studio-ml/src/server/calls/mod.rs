//! Runs a model: where its calls run, and the projects that they are about.

pub(crate) mod batches;
pub(crate) mod chunks;
pub(crate) mod connect_checks;
pub(crate) mod executor;
pub(crate) mod model_slot;
pub(crate) mod permits;
pub(crate) mod projects;
pub(crate) mod served_model;
