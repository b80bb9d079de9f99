//! Makes the resources that the flags describe.

use std::sync::Arc;

use label_studio_sdk::{Client, ClientOptions, MediaFetcher, MediaOptions};

use crate::{
    jobs::{Jobs, MemoryJobs, SqliteJobs},
    resources::Resources,
    server::settings::{
        args::{CacheType, ServerArgs},
        value_parsers::first_set,
    },
    store::{MemoryStore, SqliteStore, Store},
    versions::{Artifacts, Versions},
};

impl ServerArgs {
    /// Returns the store, Label Studio's client and the fetcher of files that the flags describe:
    /// for a program that uses a model without serving it. Nothing is connected or opened yet.
    pub fn resources(&self) -> anyhow::Result<Resources> {
        let (store, jobs) = store_and_jobs(self)?;
        let client = client(self);
        let media = MediaFetcher::new(client.clone(), media_options(self))?;
        Ok(Resources {
            store,
            jobs,
            versions: versions(self)?.keeping(self.keep_versions),
            client,
            media: Some(media),
        })
    }
}

/// Returns versions in a folder, or in an object store with copies in a folder.
fn versions(args: &ServerArgs) -> anyhow::Result<Versions> {
    let Some(url) = first_set([&args.artifact_url]) else {
        return Ok(Versions::new(&args.model_dir));
    };
    if let Some(folder) = url.strip_prefix("file://") {
        return Ok(Versions::in_folder(folder.into()));
    }
    if url.contains("://") {
        let copies = Versions::new(&args.model_dir);
        return Ok(copies.shared(artifacts(url, args)?));
    }
    Ok(Versions::in_folder(url.into()))
}

#[cfg(feature = "object-store")]
fn artifacts(url: &str, args: &ServerArgs) -> anyhow::Result<Arc<dyn Artifacts>> {
    let artifacts = crate::versions::ObjectArtifacts::new(url, args.network.options(), &[])?;
    Ok(Arc::new(artifacts))
}

#[cfg(not(feature = "object-store"))]
fn artifacts(_: &str, _: &ServerArgs) -> anyhow::Result<Arc<dyn Artifacts>> {
    anyhow::bail!(
        "this program was built without object stores; build it with --features label-studio-ml/object-store"
    )
}

fn store_and_jobs(args: &ServerArgs) -> anyhow::Result<(Box<dyn Store>, Arc<dyn Jobs>)> {
    Ok(match args.cache_type {
        CacheType::Sqlite => (
            Box::new(SqliteStore::new(&args.model_dir)),
            Arc::new(SqliteJobs::new(&args.model_dir)),
        ),
        CacheType::Postgres => in_postgres(args)?,
        CacheType::Memory => (
            Box::new(MemoryStore::default()),
            Arc::new(MemoryJobs::default()),
        ),
    })
}

#[cfg(feature = "postgres")]
fn in_postgres(args: &ServerArgs) -> anyhow::Result<(Box<dyn Store>, Arc<dyn Jobs>)> {
    use anyhow::Context;

    use crate::{jobs::PostgresJobs, postgres::Database, store::PostgresStore};

    let url = first_set([&args.database_url]).context(
        "CACHE_TYPE=postgres needs DATABASE_URL, such as postgres://user:password@host/database",
    )?;
    let database = Arc::new(Database::new(url, args.network.options())?);
    Ok((
        Box::new(PostgresStore::new(&database)),
        Arc::new(PostgresJobs::new(&database)),
    ))
}

#[cfg(not(feature = "postgres"))]
fn in_postgres(_: &ServerArgs) -> anyhow::Result<(Box<dyn Store>, Arc<dyn Jobs>)> {
    anyhow::bail!(
        "this program was built without PostgreSQL; build it with --features label-studio-ml/postgres"
    )
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
