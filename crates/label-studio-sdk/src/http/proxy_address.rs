//! Address of a proxy.

use std::{convert::Infallible, fmt, str::FromStr};

/// Address of a proxy as configured. It may hold credentials, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress(String);

impl ProxyAddress {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ProxyAddress {
    fn from(address: &str) -> Self {
        Self(address.to_owned())
    }
}

impl FromStr for ProxyAddress {
    type Err = Infallible;

    fn from_str(address: &str) -> Result<Self, Infallible> {
        Ok(address.into())
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.0.rfind('@').map_or(0, |at| at + 1);
        write!(f, "{:?}", &self.0[start..])
    }
}
