//! Artifacts in S3, in Google Cloud Storage, or in Azure Blob Storage.

mod connector;

use std::{
    fs::File,
    io::{Read as _, Write as _},
    path::Path,
    thread,
    time::Duration,
};

use label_studio_sdk::http::NetworkOptions;
use object_store::{
    ObjectStore, ObjectStoreExt as _, PutMode, PutPayload, RetryConfig, aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder, gcp::GoogleCloudStorageBuilder, path::Path as Name,
};

use self::connector::Connector;
use super::{ArtifactError, Artifacts};

/// Size of the parts in which large files are sent and read, in bytes. S3 takes 10,000 parts.
const PART_BYTES: u64 = 16 << 20;
const MAX_RETRIES: usize = 5;
const RETRY_FOR: Duration = Duration::from_secs(60);

type Problem = Box<dyn std::error::Error + Send + Sync>;

/// A bucket or container, or a folder in one. Credentials and region are those of the cloud's own
/// variables, files and services.
#[derive(Debug)]
pub struct ObjectArtifacts {
    place: String,
    prefix: String,
    store: Box<dyn ObjectStore>,
}

impl ObjectArtifacts {
    /// Creates artifacts at an address such as `s3://bucket/folder`, `gs://bucket/folder` or
    /// `az://container/folder`. Nothing is asked yet. `settings` come before the cloud's own, and
    /// have its names, such as `aws_region`.
    ///
    /// # Errors
    /// When the address or a setting is wrong.
    pub fn new(
        url: &str,
        network: NetworkOptions,
        settings: &[(&str, &str)],
    ) -> Result<Self, ArtifactError> {
        let failed = |source| ArtifactError {
            place: url.to_owned(),
            source,
        };
        let (scheme, rest) = url.split_once("://").unwrap_or_default();
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let store = connect(scheme, bucket, network, settings).map_err(failed)?;
        Ok(Self {
            place: url.to_owned(),
            prefix: prefix.trim_matches('/').to_owned(),
            store,
        })
    }

    fn name(&self, name: &str) -> Result<Name, Problem> {
        Ok(Name::parse(
            format!("{}/{name}", self.prefix).trim_matches('/'),
        )?)
    }

    /// Runs requests on their own thread and runtime: the caller may be within the server's
    /// runtime, which must not be blocked by another.
    fn run<T: Send>(
        &self,
        requests: impl Future<Output = Result<T, Problem>> + Send,
    ) -> Result<T, ArtifactError> {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()?;
            runtime.block_on(requests)
        };
        let result = thread::scope(|scope| scope.spawn(run).join());
        let result = result.unwrap_or_else(|_| Err("the request panicked".into()));
        result.map_err(|source| ArtifactError {
            place: self.place.clone(),
            source,
        })
    }
}

impl Artifacts for ObjectArtifacts {
    fn upload(&self, name: &str, file: &Path) -> Result<(), ArtifactError> {
        self.run(async {
            let name = self.name(name)?;
            let mut file = File::open(file)?;
            let n_bytes = file.metadata()?.len();
            if n_bytes <= PART_BYTES {
                self.store.put(&name, next_part(&mut file)?.into()).await?;
                return Ok(());
            }
            let mut upload = self.store.put_multipart(&name).await?;
            for _ in 0..n_bytes.div_ceil(PART_BYTES) {
                let part = PutPayload::from(next_part(&mut file)?);
                if let Err(error) = upload.put_part(part).await {
                    // Parts of an upload that never ends are paid for.
                    let _ = upload.abort().await;
                    return Err(error.into());
                }
            }
            upload.complete().await?;
            Ok(())
        })
    }

    fn create(&self, name: &str, bytes: Vec<u8>) -> Result<bool, ArtifactError> {
        self.run(async {
            let name = self.name(name)?;
            let put = self
                .store
                .put_opts(&name, bytes.into(), PutMode::Create.into())
                .await;
            match put {
                Ok(_) => Ok(true),
                Err(object_store::Error::AlreadyExists { .. }) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn download(&self, name: &str, n_bytes: u64, file: &Path) -> Result<(), ArtifactError> {
        self.run(async {
            let name = self.name(name)?;
            let mut file = File::create_new(file)?;
            let mut start = 0;
            while start < n_bytes {
                let end = n_bytes.min(start + PART_BYTES);
                file.write_all(&self.store.get_range(&name, start..end).await?)?;
                start = end;
            }
            Ok(())
        })
    }

    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ArtifactError> {
        self.run(async {
            let name = self.name(name)?;
            match self.store.get(&name).await {
                Ok(found) => Ok(Some(found.bytes().await?.to_vec())),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn folders(&self, name: &str) -> Result<Vec<String>, ArtifactError> {
        self.run(async {
            let name = self.name(name)?;
            let found = self.store.list_with_delimiter(Some(&name)).await?;
            let last_part = |folder: &Name| {
                let path = folder.as_ref();
                path.rsplit('/').next().unwrap_or(path).to_owned()
            };
            Ok(found.common_prefixes.iter().map(last_part).collect())
        })
    }

    fn remove(&self, name: &str) -> Result<(), ArtifactError> {
        self.run(async {
            let name = self.name(name)?;
            match self.store.delete(&name).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            }
        })
    }
}

fn connect(
    scheme: &str,
    bucket: &str,
    network: NetworkOptions,
    settings: &[(&str, &str)],
) -> Result<Box<dyn ObjectStore>, Problem> {
    let connector = Connector::new(network)?;
    let retry = RetryConfig {
        max_retries: MAX_RETRIES,
        retry_timeout: RETRY_FOR,
        ..RetryConfig::default()
    };
    Ok(match scheme {
        "s3" => {
            let mut builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
            for (key, value) in settings {
                builder = builder.with_config(key.parse()?, *value);
            }
            let builder = builder.with_http_connector(connector).with_retry(retry);
            Box::new(builder.build()?)
        }
        "gs" => {
            let mut builder = GoogleCloudStorageBuilder::from_env().with_bucket_name(bucket);
            for (key, value) in settings {
                builder = builder.with_config(key.parse()?, *value);
            }
            let builder = builder.with_http_connector(connector).with_retry(retry);
            Box::new(builder.build()?)
        }
        "az" => {
            let mut builder = MicrosoftAzureBuilder::from_env().with_container_name(bucket);
            for (key, value) in settings {
                builder = builder.with_config(key.parse()?, *value);
            }
            let builder = builder.with_http_connector(connector).with_retry(retry);
            Box::new(builder.build()?)
        }
        _ => return Err("expected s3://, gs:// or az://".into()),
    })
}

fn next_part(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut part = Vec::new();
    file.take(PART_BYTES).read_to_end(&mut part)?;
    Ok(part)
}
