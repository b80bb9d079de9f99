//! What every HTTP request of this crate has in common.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
    sync::Arc,
    time::Duration,
};

use serde_json::Value;
use ureq::{
    Body, Timeout,
    config::Config,
    tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem},
};
use url::Url;

use super::ClientError;

const USER_AGENT: &str = concat!("label-studio-ml/", env!("CARGO_PKG_VERSION"));
const MAX_EXTRACT_BYTES: u64 = 4096;
const MAX_EXTRACT_CHARS: usize = 300;

/// Settings of an HTTP agent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HttpOptions<'a> {
    pub(crate) verify_ssl: bool,
    pub(crate) ca_bundle: Option<&'a Path>,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) overall_timeout: Duration,
}

/// Makes an agent's configuration: statuses are answers, redirects are left to the caller, and the environment has no
/// say.
pub(crate) fn agent_config(options: HttpOptions<'_>) -> Result<Config, ClientError> {
    let mut tls = TlsConfig::builder().disable_verification(!options.verify_ssl);
    if let Some(path) = options.ca_bundle {
        let certificates = certificates(path).map_err(|source| ClientError::CaBundle {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        tls = tls.root_certs(RootCerts::Specific(Arc::new(certificates)));
    }
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent(USER_AGENT)
        .timeout_resolve(Some(options.connect_timeout))
        .timeout_connect(Some(options.connect_timeout))
        .timeout_per_read(Some(options.read_timeout))
        .timeout_global(Some(options.overall_timeout))
        .tls_config(tls.build());
    Ok(config.build())
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, ureq::Error> {
    let mut certificates = Vec::new();
    for item in parse_pem(&fs::read(path)?) {
        if let PemItem::Certificate(certificate) = item? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(ureq::Error::Tls("the file holds no certificate"));
    }
    Ok(certificates)
}

/// Tells whether the other side was not reached or hung up, so that a GET may be sent again.
pub(crate) fn is_connection_failure(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Timeout(timeout) => matches!(timeout, Timeout::Connect | Timeout::Resolve),
        ureq::Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NotConnected
                | io::ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}

/// Returns what an error's body says, in a line: Label Studio's `detail` or the start of the text. Of a page for people,
/// only that it was one.
pub(crate) fn body_extract(body: &mut Body) -> String {
    let mut bytes = Vec::new();
    let mut reader = body.as_reader().take(MAX_EXTRACT_BYTES);
    if let Err(error) = reader.read_to_end(&mut bytes) {
        tracing::debug!(%error, "cannot read the body of an error");
    }
    let text = String::from_utf8_lossy(&bytes);
    if text.trim_start().starts_with('<') {
        return "an HTML page".to_owned();
    }
    let json: Value = serde_json::from_str(&text).unwrap_or_default();
    let text = json.get("detail").and_then(Value::as_str).unwrap_or(&text);
    let words: Vec<_> = text.split_whitespace().collect();
    words.join(" ").chars().take(MAX_EXTRACT_CHARS).collect()
}

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

    /// Tells whether `url` is served by Label Studio itself and as well protected as the configured address.
    pub(crate) fn owns(&self, url: &Url) -> bool {
        let port = Url::port_or_known_default;
        let is_same = self.0.scheme() == url.scheme() && port(&self.0) == port(url);
        let is_upgrade = (self.0.scheme(), url.scheme()) == ("http", "https")
            && (self.0.port(), url.port()) == (None, None);
        self.0.host() == url.host() && (is_same || is_upgrade)
    }
}
