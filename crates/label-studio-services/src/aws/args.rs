//! Flags of backends that use S3.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    AwsError,
    credentials::{Credentials, profile_credentials},
};
use crate::{Secret, first_filled};

const DEFAULT_REGION: &str = "us-east-1";

/// Access key for S3
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "S3")]
pub struct AccessKeyArgs {
    /// Name of the access key
    #[arg(long, env = "AWS_ACCESS_KEY_ID")]
    pub aws_access_key_id: Option<String>,

    /// Access key
    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub aws_secret_access_key: Option<Secret>,

    /// Token of a temporary access key
    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true)]
    pub aws_session_token: Option<Secret>,
}

/// Access to objects in S3 that tasks refer to; without an access key, Label Studio resolves s3:// addresses
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "S3")]
pub struct S3Args {
    /// Access key.
    #[command(flatten)]
    pub access_key: AccessKeyArgs,

    /// Region of the buckets
    #[arg(long, env = "AWS_DEFAULT_REGION", default_value = DEFAULT_REGION)]
    pub aws_default_region: String,

    /// Address of another store with S3's API, such as `http://minio:9000`
    #[arg(long, env = "AWS_ENDPOINT_URL")]
    pub aws_endpoint_url: Option<String>,
}

/// Bucket that files are put into, and the address that tasks get
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "S3")]
pub struct BucketArgs {
    /// Bucket for the files
    #[arg(long, env = "S3_BUCKET")]
    pub s3_bucket: Option<String>,

    /// Folder in the bucket
    #[arg(long, env = "S3_FOLDER")]
    pub s3_folder: Option<String>,

    /// Region of the bucket
    #[arg(long, env = "AWS_DEFAULT_REGION")]
    pub aws_default_region: Option<String>,

    #[arg(long, env = "AWS_REGION", hide = true)]
    aws_region: Option<String>,

    /// Access key.
    #[command(flatten)]
    pub access_key: AccessKeyArgs,

    /// Credentials file, read when no access key is given; ~/.aws/credentials if not set
    #[arg(long, env = "AWS_SHARED_CREDENTIALS_FILE")]
    pub aws_shared_credentials_file: Option<PathBuf>,

    /// Home folder, the ~ of the default credentials file
    #[arg(long, env = "HOME", hide = true)]
    home: Option<PathBuf>,

    /// Profile in the credentials file
    #[arg(long, env = "AWS_PROFILE", default_value = "default")]
    pub aws_profile: String,

    /// Address of another store with S3's API, such as `http://minio:9000`
    #[arg(long, env = "S3_ENDPOINT_URL")]
    pub s3_endpoint_url: Option<String>,

    /// Place of the bucket's name in addresses; if not set, before the host for S3 and in the path for other stores
    #[arg(long, env = "S3_ADDRESSING", value_enum)]
    pub s3_addressing: Option<Addressing>,

    /// Canned ACL of the files; empty for buckets without ACLs
    #[arg(long, env = "S3_ACL", default_value = "public-read")]
    pub s3_acl: String,

    /// Encryption at rest, such as AES256 or aws:kms
    #[arg(long, env = "S3_SSE")]
    pub s3_sse: Option<String>,

    /// Kind of address that the task gets
    #[arg(long, env = "S3_URL_STYLE", value_enum, default_value_t)]
    pub s3_url_style: UrlStyle,

    /// Address in front of the bucket that the task gets instead of S3's, such as a CDN's
    #[arg(long, env = "S3_PUBLIC_URL")]
    pub s3_public_url: Option<String>,

    /// Lifetime of a presigned address in seconds, a week at most
    #[arg(long, env = "S3_PRESIGN_SECONDS", default_value = "604800", value_parser = clap::value_parser!(u32).range(1..=604_800))]
    pub s3_presign_seconds: u32,
}

/// Place of the bucket's name in addresses
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Addressing {
    /// Before the host
    Virtual,
    /// In the path
    Path,
}

/// Kind of address that a task gets
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum UrlStyle {
    /// Address of the object, which must be readable without credentials
    #[default]
    Public,
    /// Address with a signature, which expires
    Presigned,
    /// `s3://bucket/key`, which Label Studio resolves with its own storage
    S3,
}

impl AccessKeyArgs {
    /// Returns the access key; `None` when neither half is set.
    pub fn credentials(&self) -> Result<Option<Credentials>, AwsError> {
        const ID: &str = "AWS_ACCESS_KEY_ID";
        const SECRET: &str = "AWS_SECRET_ACCESS_KEY";
        let filled = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.is_empty());
        let id = first_filled([&self.aws_access_key_id]);
        match (id, filled(&self.aws_secret_access_key)) {
            (None, None) => Ok(None),
            (Some(id), Some(secret_access_key)) => Ok(Some(Credentials {
                access_key_id: id.to_owned(),
                secret_access_key,
                session_token: filled(&self.aws_session_token),
            })),
            (Some(_), None) => Err(AwsError::HalfAccessKey {
                set: ID,
                missing: SECRET,
            }),
            (None, Some(_)) => Err(AwsError::HalfAccessKey {
                set: SECRET,
                missing: ID,
            }),
        }
    }
}

impl S3Args {
    /// Returns the region.
    pub fn region(&self) -> &str {
        let region = self.aws_default_region.trim();
        if region.is_empty() {
            DEFAULT_REGION
        } else {
            region
        }
    }

    /// Returns the address of the store, if it is not S3 itself.
    pub fn endpoint(&self) -> Option<&str> {
        first_filled([&self.aws_endpoint_url])
    }
}

impl BucketArgs {
    /// Returns the access key, or else the credentials of the profile.
    pub fn credentials(&self) -> Result<Credentials, AwsError> {
        if let Some(credentials) = self.access_key.credentials()? {
            return Ok(credentials);
        }
        let path = self.credentials_file().filter(|path| path.is_file());
        let path = path.ok_or(AwsError::NoCredentials)?;
        profile_credentials(&path, &self.aws_profile)
    }

    /// Returns the region, from either variable.
    pub fn region(&self) -> Option<&str> {
        first_filled([&self.aws_default_region, &self.aws_region])
    }

    fn credentials_file(&self) -> Option<PathBuf> {
        let configured = self.aws_shared_credentials_file.clone();
        configured
            .filter(|path| !path.as_os_str().is_empty())
            .or_else(|| Some(self.home.as_ref()?.join(".aws/credentials")))
    }
}
