//! Why S3 cannot be used.

use std::{io, path::PathBuf};

use crate::ServiceError;

/// Why S3 cannot be used. No message contains a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AwsError {
    /// A setting is missing.
    #[error("{variable} is not set")]
    NotSet {
        /// Environment variable of the setting.
        variable: &'static str,
    },
    /// One half of an access key is missing.
    #[error("{set} is set, {missing} is not: set both or neither")]
    HalfAccessKey {
        /// Environment variable that is set.
        set: &'static str,
        /// Environment variable that is not.
        missing: &'static str,
    },
    /// There is neither an access key nor a credentials file.
    #[error(
        "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE"
    )]
    NoCredentials,
    /// The credentials file cannot be read.
    #[error("cannot read AWS credentials from {}", path.display())]
    CredentialsFile {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// The credentials file lacks the profile, or the profile lacks a field.
    #[error("{} has no {field} in profile [{profile}]", path.display())]
    Profile {
        /// The file.
        path: PathBuf,
        /// Name of the profile.
        profile: String,
        /// Name of the field.
        field: &'static str,
    },
    /// The settings of a bucket, or the name of an object, do not make an address.
    #[error("{text:?} is not the address of an object in S3; check {setting}")]
    Address {
        /// The address as it was made.
        text: String,
        /// Settings that it was made from.
        setting: &'static str,
    },
    /// An address does not name an object.
    #[error("{url:?} names no object, as s3://bucket/key does")]
    NoObject {
        /// The address.
        url: String,
    },
    /// The bucket refused an object.
    #[error("the file cannot be put into bucket {bucket:?}{hint}")]
    Put {
        /// Name of the bucket.
        bucket: String,
        /// A fix that begins with a semicolon, or empty.
        hint: &'static str,
        /// Cause.
        source: ServiceError,
    },
}
