//! Presigned addresses of objects that tasks refer to.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use url::Url;

use super::{
    AwsError, S3Args,
    credentials::Credentials,
    signing::{Signer, Timestamp, encode_path},
};

const S3: &str = "s3://";
/// Signatures of one interval are equal, so that a cache finds an object that was fetched before.
const INTERVAL: Duration = Duration::from_secs(3600);
const LIFETIME_SECONDS: u32 = 3 * 3600;

/// Presigns `s3://` addresses, if there is an access key.
#[derive(Debug, Clone, Default)]
pub struct PresignedUrls(Option<Store>);

#[derive(Debug, Clone)]
struct Store {
    credentials: Credentials,
    region: String,
    endpoint: Option<String>,
}

impl PresignedUrls {
    /// Reads the access key of the flags.
    pub fn new(args: &S3Args) -> Result<Self, AwsError> {
        let credentials = args.access_key.credentials()?;
        Ok(Self(credentials.map(|credentials| Store {
            credentials,
            region: args.region().to_owned(),
            endpoint: args.endpoint().map(str::to_owned),
        })))
    }

    /// Returns an address that needs no credentials for some hours. Addresses that are not in S3 are returned unchanged,
    /// and so is every address when there is no access key.
    pub fn of<'a>(&self, url: &'a str) -> Result<Cow<'a, str>, AwsError> {
        self.at(url, SystemTime::now())
    }

    /// Returns the address as [`PresignedUrls::of`] does at a given time.
    pub fn at<'a>(&self, url: &'a str, now: SystemTime) -> Result<Cow<'a, str>, AwsError> {
        let (Some(store), Some(object)) = (&self.0, url.strip_prefix(S3)) else {
            return Ok(url.into());
        };
        let parts = object
            .split_once('/')
            .map(|(bucket, key)| (bucket, key.trim_start_matches('/')));
        let parts = parts.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
        let (bucket, key) = parts.ok_or_else(|| AwsError::NoObject {
            url: url.to_owned(),
        })?;
        let address = store.address(bucket, key)?;
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let into_interval = Duration::from_secs(since.as_secs() % INTERVAL.as_secs());
        let start = UNIX_EPOCH + Duration::from_secs(since.as_secs()) - into_interval;
        let signer = Signer {
            credentials: &store.credentials,
            region: &store.region,
        };
        let address = signer.presigned_get(&address, LIFETIME_SECONDS, &Timestamp::from(start));
        Ok(String::from(address).into())
    }
}

impl Store {
    fn address(&self, bucket: &str, key: &str) -> Result<Url, AwsError> {
        let (key, region) = (encode_path(key), &self.region);
        let address = match &self.endpoint {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            // The certificate of S3's hosts does not cover names with a dot.
            None if bucket.contains('.') => {
                format!("https://s3.{region}.amazonaws.com/{bucket}/{key}")
            }
            None => format!("https://{bucket}.s3.{region}.amazonaws.com/{key}"),
        };
        Url::parse(&address).map_err(|_| AwsError::Address {
            text: address,
            setting: "AWS_DEFAULT_REGION and AWS_ENDPOINT_URL",
        })
    }
}
