//! Clients of Label Studio's API that ask a mock.

use std::time::Duration;

use label_studio_sdk::{Client, ClientOptions};

use super::MockLabelStudio;
use crate::MockService;

/// Returns options of a client that does not make a failing test wait.
pub fn client_options(url: &str) -> ClientOptions {
    ClientOptions {
        retry_delay: Duration::from_millis(1),
        read_timeout: Duration::from_secs(5),
        ..ClientOptions::new(url)
    }
}

impl MockService {
    /// Returns a client of Label Studio's API that asks this service.
    ///
    /// # Panics
    /// When the token cannot be used.
    pub fn client(&self, token: &str) -> Client {
        Client::new(client_options(&self.url("")).with_token(token)).expect("the token is valid")
    }
}

impl MockLabelStudio {
    /// Returns a client that asks this mock with a legacy token.
    pub fn client(&self) -> Client {
        self.service
            .client("0123456789abcdef0123456789abcdef01234567")
    }
}
