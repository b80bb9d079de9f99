//! Makes the resources that the flags describe.

use label_studio_sdk::{Client, ClientOptions, MediaFetcher, MediaOptions};

use crate::{
    resources::Resources,
    server::settings::{
        args::{CacheType, ServerArgs},
        label_studio_args::LabelStudioArgs,
    },
    store::{MemoryStore, SqliteStore, Store},
};

const MIB: u64 = 1024 * 1024;

impl ServerArgs {
    /// Returns the store, Label Studio's client and the fetcher of files that the flags describe:
    /// for a program that uses a model without serving it. Nothing is connected or opened yet.
    pub fn resources(&self) -> anyhow::Result<Resources> {
        let store: Box<dyn Store> = match self.cache_type {
            CacheType::Sqlite => Box::new(SqliteStore::new(&self.model_dir)),
            CacheType::Memory => Box::new(MemoryStore::default()),
        };
        let client = client(&self.label_studio);
        let media = MediaFetcher::new(client.clone(), media_options(self))?;
        Ok(Resources {
            store,
            client,
            media: Some(media),
        })
    }
}

fn client(args: &LabelStudioArgs) -> Option<Client> {
    let (url, token) = (args.url()?, args.api_key()?);
    let options = ClientOptions {
        verify_ssl: args.verifies_certificates(),
        ca_bundle: args.ca_bundle().cloned(),
        ..ClientOptions::new(url).with_token(token)
    };
    match Client::new(options) {
        Ok(client) => Some(client),
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
        ca_bundle: label_studio.ca_bundle().cloned(),
        allow_private_addresses: label_studio.allow_private_addresses,
        max_bytes: u64::from(label_studio.max_media_mb) * MIB,
        max_cache_bytes: Some(u64::from(label_studio.media_cache_mb) * MIB),
        ..MediaOptions::new(cache_dir)
    }
}
