//! What projects use: the store, Label Studio, and the files of tasks.

use std::sync::Arc;

use label_studio_sdk::{Client, MediaFetcher};

use crate::{
    jobs::{Jobs, MemoryJobs},
    store::Store,
    versions::Versions,
};

/// What projects use: the store, Label Studio, and the files of tasks.
pub struct Resources {
    /// Where small facts are kept.
    pub store: Box<dyn Store>,
    /// Where trainings are kept until they have ended.
    pub jobs: Arc<dyn Jobs>,
    /// Where trained models are kept.
    pub versions: Versions,
    /// Label Studio, when its address and key are known.
    pub client: Option<Client>,
    /// Fetches the files that tasks refer to.
    pub media: Option<MediaFetcher>,
}

impl Resources {
    /// Creates resources with `store`, with jobs and versions that end with the process, and without Label Studio.
    pub fn new(store: impl Store) -> Self {
        Self {
            store: Box::new(store),
            jobs: Arc::new(MemoryJobs::default()),
            versions: Versions::temporary(),
            client: None,
            media: None,
        }
    }
}
