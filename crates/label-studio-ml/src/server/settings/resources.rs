//! Makes the resources that the flags describe.

use std::{sync::Arc, time::Duration};

use label_studio_sdk::{Client, ClientOptions, MediaFetcher, MediaOptions};

use crate::{
    jobs::{Jobs, MemoryJobs, SqliteJobs},
    resources::Resources,
    server::settings::args::{CacheType, ServerArgs},
    store::{MemoryStore, SqliteStore, Store},
    versions::Versions,
};

const MIB: u64 = 1024 * 1024;

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
        verify_ssl: label_studio.verifies_certificates(),
        network: args.network.options(),
        defer_token_problems: true,
        ..ClientOptions::new(url).with_token(token)
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
    let cache_dir = label_studio
        .media_cache_dir
        .clone()
        .unwrap_or_else(|| args.model_dir.join("media"));
    MediaOptions {
        label_studio_url: label_studio.url().map(str::to_owned),
        document_root: label_studio.document_root(),
        verify_ssl: label_studio.verifies_certificates(),
        network: args.network.options(),
        allow_private_addresses: label_studio.allow_private_addresses,
        max_bytes: u64::from(label_studio.max_media_mb) * MIB,
        overall_timeout: Duration::from_secs(label_studio.media_timeout),
        max_cache_bytes: Some(u64::from(label_studio.media_cache_mb) * MIB),
        ..MediaOptions::new(cache_dir)
    }
}
