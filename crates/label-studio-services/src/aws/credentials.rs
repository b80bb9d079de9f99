//! Credentials of S3, and AWS's file of them.

use std::{fs, path::Path};

use super::AwsError;
use crate::Secret;

/// Credentials that requests to S3 are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Name of the access key, which is not secret.
    pub access_key_id: String,
    /// The access key.
    pub secret_access_key: Secret,
    /// Token of a temporary access key.
    pub session_token: Option<Secret>,
}

/// Reads the credentials of a profile from AWS's credentials file.
pub fn profile_credentials(path: &Path, profile: &str) -> Result<Credentials, AwsError> {
    let text = fs::read_to_string(path).map_err(|source| AwsError::CredentialsFile {
        path: path.to_owned(),
        source,
    })?;
    let name = |line: &str| {
        let line = line.strip_prefix('[')?.strip_suffix(']')?;
        Some(line.trim().to_owned())
    };
    let lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| name(line).as_deref() != Some(profile))
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    let pairs: Vec<_> = lines.filter_map(|line| line.split_once('=')).collect();
    let value = |wanted: &str| {
        let pair = pairs.iter().find(|(name, _)| name.trim() == wanted);
        pair.map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    };
    let required = |field: &'static str| {
        value(field).ok_or_else(|| AwsError::Profile {
            path: path.to_owned(),
            profile: profile.to_owned(),
            field,
        })
    };
    Ok(Credentials {
        access_key_id: required("aws_access_key_id")?.to_owned(),
        secret_access_key: required("aws_secret_access_key")?.into(),
        session_token: value("aws_session_token").map(Secret::from),
    })
}
