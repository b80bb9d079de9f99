//! Addresses of images in S3, signed with keys of one's own.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use label_studio_ml::anyhow::{self, Context, bail};
use label_studio_services::{Credentials, Secret, Signer, Timestamp, uri_encoded};
use url::Url;

const S3: &str = "s3://";
const DEFAULT_REGION: &str = "us-east-1";
/// Signatures of one such span of time are the same, so that an image that was fetched is found again.
const SPAN: Duration = Duration::from_secs(3600);
const VALID_SECONDS: u32 = 3 * 3600;

/// Keys for images in S3
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "S3")]
pub struct S3Args {
    /// Name of the access key; without one, s3:// images are asked of Label Studio
    #[arg(long, env = "AWS_ACCESS_KEY_ID")]
    pub aws_access_key_id: Option<String>,

    /// The access key
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub aws_secret_access_key: Option<Secret>,

    /// What a temporary access key comes with
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true)]
    pub aws_session_token: Option<Secret>,

    /// Region of the buckets
    #[arg(long, env = "AWS_DEFAULT_REGION", default_value = DEFAULT_REGION)]
    pub aws_default_region: String,

    /// Address of another store with S3's API, such as `http://minio:9000`
    #[arg(long, env = "AWS_ENDPOINT_URL")]
    pub aws_endpoint_url: Option<String>,
}

/// Signs the addresses of images in S3, if there are keys.
#[derive(Debug, Clone, Default)]
pub struct SignedAddresses(Option<Keys>);

#[derive(Debug, Clone)]
struct Keys {
    credentials: Credentials,
    region: String,
    endpoint: Option<String>,
}

impl SignedAddresses {
    /// Takes the keys of the flags.
    pub fn new(args: S3Args) -> anyhow::Result<Self> {
        let filled = |text: Option<String>| {
            let text = text?.trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        let filled_secret = |secret: Option<Secret>| secret.filter(|secret| !secret.is_empty());
        let keys = match (
            filled(args.aws_access_key_id),
            filled_secret(args.aws_secret_access_key),
        ) {
            (None, _) => None,
            (Some(access_key_id), Some(secret_access_key)) => Some(Keys {
                credentials: Credentials {
                    access_key_id,
                    secret_access_key,
                    session_token: filled_secret(args.aws_session_token),
                },
                region: filled(Some(args.aws_default_region))
                    .unwrap_or_else(|| DEFAULT_REGION.to_owned()),
                endpoint: filled(args.aws_endpoint_url),
            }),
            (Some(_), None) => {
                bail!("AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not: set both or none")
            }
        };
        Ok(Self(keys))
    }

    /// Returns the address that anybody can fetch for some hours; addresses elsewhere than in S3 stay as they are.
    pub fn of<'a>(&self, url: &'a str) -> anyhow::Result<Cow<'a, str>> {
        self.at(url, SystemTime::now())
    }

    /// Does the same at a given time.
    pub fn at<'a>(&self, url: &'a str, now: SystemTime) -> anyhow::Result<Cow<'a, str>> {
        let (Some(keys), Some(object)) = (&self.0, url.strip_prefix(S3)) else {
            return Ok(url.into());
        };
        let parts = object
            .split_once('/')
            .map(|(bucket, key)| (bucket, key.trim_start_matches('/')));
        let parts = parts.filter(|(bucket, key)| !bucket.is_empty() && !key.is_empty());
        let (bucket, key) =
            parts.with_context(|| format!("{url:?} names no object, as s3://bucket/key does"))?;
        let key = uri_encoded(key, true);
        let region = &keys.region;
        let address = match &keys.endpoint {
            Some(endpoint) => format!("{}/{bucket}/{key}", endpoint.trim_end_matches('/')),
            // A dot in the name would not fit the certificate of the host.
            None if bucket.contains('.') => {
                format!("https://s3.{region}.amazonaws.com/{bucket}/{key}")
            }
            None => format!("https://{bucket}.s3.{region}.amazonaws.com/{key}"),
        };
        let address =
            Url::parse(&address).with_context(|| format!("{url:?} makes no address in S3"))?;
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = UNIX_EPOCH + SPAN * u32::try_from(since.as_secs() / SPAN.as_secs())?;
        let signer = Signer {
            credentials: &keys.credentials,
            region,
        };
        let address = signer.presigned_get(&address, VALID_SECONDS, &Timestamp::from(start));
        Ok(String::from(address).into())
    }
}
