//! How to reach Label Studio.

use std::{fmt, time::Duration};

use crate::http::NetworkOptions;

/// How to reach Label Studio.
///
/// `ClientOptions { verify_ssl: false, ..ClientOptions::new("https://label-studio.example") }` changes what the
/// constructor has set.
#[derive(Clone)]
pub struct ClientOptions {
    /// Address of Label Studio with its scheme and, where it has one, its path (`https://example.org/label-studio`).
    pub url: String,
    /// Legacy token or personal access token, as copied from Label Studio's account page.
    pub token: Option<String>,
    /// Whether a token that cannot be used (malformed, expired) is reported by each request that needs it, and not when the
    /// client is made.
    pub defer_token_problems: bool,
    /// Whether the certificate of an `https` address must be valid.
    pub verify_ssl: bool,
    /// Certificate authorities and proxies.
    pub network: NetworkOptions,
    /// Time to look up the host and to connect to it.
    pub connect_timeout: Duration,
    /// Time without a single byte arriving.
    pub read_timeout: Duration,
    /// Time for one whole request.
    pub overall_timeout: Duration,
    /// How often a GET is repeated when the connection fails.
    pub retries: u32,
    /// Pause before the first repetition; it doubles each time.
    pub retry_delay: Duration,
}

impl ClientOptions {
    /// Creates options for `url`, without a token and with time-outs that suit a busy server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: None,
            defer_token_problems: false,
            verify_ssl: true,
            network: NetworkOptions::default(),
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(180),
            overall_timeout: Duration::from_secs(600),
            retries: 3,
            retry_delay: Duration::from_millis(250),
        }
    }

    /// Sets the legacy token or personal access token.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("url", &self.url)
            .field("token", &self.token.as_ref().map(|_| "***"))
            .field("verify_ssl", &self.verify_ssl)
            .finish_non_exhaustive()
    }
}
