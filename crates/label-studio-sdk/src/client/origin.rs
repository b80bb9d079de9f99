//! Label Studio's own address.

use url::Url;

use super::ClientError;

/// Label Studio's own address.
#[derive(Debug, Clone)]
pub(crate) struct Origin(Url);

impl Origin {
    /// Reads an address as configured.
    pub(crate) fn parse(text: &str) -> Result<Self, ClientError> {
        let invalid = || ClientError::InvalidUrl {
            url: text.to_owned(),
        };
        let mut url = Url::parse(text.trim()).map_err(|_| invalid())?;
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
            return Err(invalid());
        }
        url.set_query(None);
        url.set_fragment(None);
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self(url))
    }

    /// Returns the address, its path ending in a slash.
    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// Returns the path below the host, without the slash at its end.
    pub(crate) fn base_path(&self) -> &str {
        self.0.path().trim_end_matches('/')
    }

    /// Appends a path and query to the address; a slash at its start does not leave the address's own path.
    pub(crate) fn join(&self, path_and_query: &str) -> Url {
        let (path, query) = match path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (path_and_query, None),
        };
        let mut url = self.0.clone();
        url.set_path(&format!(
            "{}/{}",
            self.base_path(),
            path.trim_start_matches('/')
        ));
        url.set_query(query);
        url
    }

    /// Returns whether `url` is served by Label Studio itself and as well protected as the configured address.
    pub(crate) fn owns(&self, url: &Url) -> bool {
        let port = Url::port_or_known_default;
        let is_same = self.0.scheme() == url.scheme() && port(&self.0) == port(url);
        let is_upgrade = (self.0.scheme(), url.scheme()) == ("http", "https")
            && (self.0.port(), url.port()) == (None, None);
        self.0.host() == url.host() && (is_same || is_upgrade)
    }
}
