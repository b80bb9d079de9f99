//! Who signs requests to S3.

use std::{fs, path::Path};

use label_studio_ml::anyhow::{self, Context, bail};
use label_studio_services::{Credentials, Secret};

use crate::BucketArgs;

/// Returns the credentials of the flags, else those of the profile in AWS's credentials file.
pub(crate) fn find(args: &BucketArgs) -> anyhow::Result<Credentials> {
    let id = args
        .aws_access_key_id
        .as_deref()
        .map(str::trim)
        .filter(|id| !id.is_empty());
    let filled = |secret: &Option<Secret>| secret.clone().filter(|secret| !secret.is_empty());
    match (id, filled(&args.aws_secret_access_key)) {
        (Some(id), Some(secret_access_key)) => Ok(Credentials {
            access_key_id: id.to_owned(),
            secret_access_key,
            session_token: filled(&args.aws_session_token),
        }),
        (None, None) => of_file(args),
        _ => bail!("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must both be set"),
    }
}

fn of_file(args: &BucketArgs) -> anyhow::Result<Credentials> {
    let path = args.credentials_file().filter(|path| path.is_file());
    let path = path.context(
        "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE",
    )?;
    of_profile(&path, &args.aws_profile)
}

/// Reads a profile of a credentials file.
pub fn of_profile(path: &Path, profile: &str) -> anyhow::Result<Credentials> {
    let text = fs::read_to_string(path)
        .with_context(|| format!("cannot read AWS credentials from {}", path.display()))?;
    let lines = text
        .lines()
        .map(str::trim)
        .skip_while(|line| {
            line.strip_prefix('[')
                .and_then(|line| line.strip_suffix(']'))
                .map(str::trim)
                != Some(profile)
        })
        .skip(1)
        .take_while(|line| !line.starts_with('['));
    let pairs: Vec<_> = lines.filter_map(|line| line.split_once('=')).collect();
    let value = |wanted: &str| {
        let pair = pairs.iter().find(|(name, _)| name.trim() == wanted);
        pair.map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    };
    let needed = |name: &str| {
        value(name)
            .with_context(|| format!("{} has no {name} in profile [{profile}]", path.display()))
    };
    Ok(Credentials {
        access_key_id: needed("aws_access_key_id")?.to_owned(),
        secret_access_key: needed("aws_secret_access_key")?.into(),
        session_token: value("aws_session_token").map(Secret::from),
    })
}
