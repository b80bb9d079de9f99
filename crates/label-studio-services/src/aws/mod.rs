//! S3 and stores with its API: credentials, signatures, buckets, and addresses of objects.

mod args;
mod bucket;
mod credentials;
mod error;
mod presigned;
mod signing;

pub use args::{AccessKeyArgs, Addressing, BucketArgs, S3Args, UrlStyle};
pub use bucket::{Bucket, Object};
pub use credentials::{Credentials, profile_credentials};
pub use error::AwsError;
pub use presigned::PresignedUrls;
pub use signing::{S3Request, Signer, Timestamp, encode_path, encode_query, sha256_hex};
