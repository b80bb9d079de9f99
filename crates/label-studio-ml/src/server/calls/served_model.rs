//! The model that a backend serves, of either kind.

use std::sync::Arc;

use crate::{
    raw::model::{RawModel, Readiness},
    server::calls::model_slot::ModelSlot,
};

/// The model that a backend serves, of either kind.
#[derive(Clone)]
pub(crate) struct ServedModel {
    /// Empty while the model loads.
    pub(crate) slot: Arc<ModelSlot>,
    /// The model, when it reads requests and writes answers itself.
    pub(crate) raw: Option<Arc<dyn RawModel>>,
}

impl ServedModel {
    /// Returns whether the model can answer now.
    pub(crate) fn readiness(&self) -> Readiness {
        match (&self.raw, self.slot.peek()) {
            (Some(raw), _) => raw.readiness(),
            (None, Some(Ok(_))) => Readiness::Ready,
            (None, Some(Err(reason))) => Readiness::Failed(reason.clone()),
            (None, None) => Readiness::Loading,
        }
    }
}
