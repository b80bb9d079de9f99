//! Address of a backend on the command line.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_STANDARD};
use url::Url;

/// Address of a backend without its credentials, and the header for them.
#[derive(Debug, Clone)]
pub(crate) struct BackendUrl {
    pub(crate) url: Url,
    pub(crate) authorization: Option<String>,
}

impl FromStr for BackendUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
        let url = Url::parse(text).ok().filter(is_web);
        let mut url = url.ok_or("not a web address; write it with http:// or https://")?;
        let authorization = (!url.username().is_empty())
            .then(|| basic(url.username(), url.password().unwrap_or_default()));
        // Both succeed on a web address. Credentials must not be shown.
        let _ = (url.set_username(""), url.set_password(None));
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&format!("{path}/"));
        Ok(Self { url, authorization })
    }
}

/// Returns the value of the header for basic auth.
pub(crate) fn basic(user: &str, pass: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{pass}")))
}
