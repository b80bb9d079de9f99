//! What projects use: the store, Label Studio, and the files of tasks.

use label_studio_sdk::{Client, MediaFetcher};

use crate::store::Store;

/// What projects use: the store, Label Studio, and the files of tasks.
pub struct Resources {
    /// Where small facts are kept.
    pub store: Box<dyn Store>,
    /// Label Studio, when its address and key are known.
    pub client: Option<Client>,
    /// Fetches the files that tasks refer to.
    pub media: Option<MediaFetcher>,
}

impl Resources {
    /// Creates resources with `store` alone, without Label Studio.
    pub fn new(store: impl Store) -> Self {
        Self {
            store: Box::new(store),
            client: None,
            media: None,
        }
    }
}
