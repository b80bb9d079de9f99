//! A key or password that must not be shown.

use std::{convert::Infallible, fmt, str::FromStr, sync::Arc};

/// Replaces a secret in texts.
const HIDDEN: &str = "***";
/// Shorter secrets are not looked for in texts: they would blot out ordinary words.
const MIN_SEARCHED: usize = 4;

/// A key or password. Neither `Debug` nor anything else of this crate shows it; [`Secret::expose`] does.
///
/// Space around it is dropped: it comes from copying.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Returns the secret itself, to be sent and never to be logged.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether the secret is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns `text` with the secret replaced by `***`.
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < MIN_SEARCHED {
            return text.to_owned();
        }
        text.replace(&*self.0, HIDDEN)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(secret.trim().into())
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self::from(secret.as_str())
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(secret: &str) -> Result<Self, Infallible> {
        Ok(Self::from(secret))
    }
}
