//! Makes the resources that the flags describe.

use std::sync::Arc;

use label_studio_sdk::{Client, ClientOptions, MediaFetcher, MediaOptions};

use crate::{
    jobs::{Jobs, MemoryJobs, SqliteJobs},
    resources::Resources,
    server::settings::args::{CacheType, ServerArgs},
    store::{MemoryStore, SqliteStore, Store},
    versions::Versions,
};

impl ServerArgs {
    /// Returns the store, Label Studio's client and the fetcher of files that the flags describe:
    /// for a program that uses a model without serving it. Nothing is connected or opened yet.
    pub fn resources(&self) -> anyhow::Result<Resources> {
        let (store, jobs): (Box<dyn Store>, Arc<dyn Jobs>) = match self.cache_type {
            CacheType::Sqlite => (
                Box::new(SqliteStore::new(&self.model_dir)),
                Arc::new(SqliteJobs::new(&self.model_dir)),
            ),
            CacheType::Memory => (
                Box::new(MemoryStore::default()),
                Arc::new(MemoryJobs::default()),
            ),
        };
        let client = client(self);
        let media = MediaFetcher::new(client.clone(), media_options(self))?;
        Ok(Resources {
            store,
            jobs,
            versions: Versions::new(&self.model_dir).keeping(self.keep_versions),
            client,
            media: Some(media),
        })
    }
}

fn client(args: &ServerArgs) -> Option<Client> {
    let label_studio = &args.label_studio;
    let (url, token) = (label_studio.url()?, label_studio.api_key()?);
    let options = ClientOptions {
        defer_token_problems: true,
        ..label_studio
            .client_options(url, args.network.options())
            .with_token(token)
    };
    match Client::new(options) {
        Ok(client) => {
            if let Some(problem) = client.token_problem() {
                tracing::error!(
                    "Label Studio cannot be asked for files and annotations: {problem}"
                );
            }
            Some(client)
        }
        Err(error) => {
            let error = anyhow::Error::from(error);
            tracing::error!("Label Studio cannot be asked for files and annotations: {error:#}");
            None
        }
    }
}

fn media_options(args: &ServerArgs) -> MediaOptions {
    let label_studio = &args.label_studio;
    let cache_dir = label_studio.media_cache_dir.clone();
    let cache_dir = cache_dir.unwrap_or_else(|| args.model_dir.join("media"));
    label_studio.media_options(cache_dir, args.network.options())
}
