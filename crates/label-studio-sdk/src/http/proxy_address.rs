//! Address of a proxy.

use std::{convert::Infallible, fmt, str::FromStr};

/// Address of a proxy as configured. It may hold credentials, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyAddress {
    address: String,
    setting: Option<&'static str>,
}

impl ProxyAddress {
    /// Returns the address of a proxy that comes from another setting than the usual ones, which errors name.
    pub fn of_setting(address: &str, setting: &'static str) -> Self {
        Self {
            address: address.to_owned(),
            setting: Some(setting),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.address
    }

    pub(super) fn setting(&self) -> Option<&'static str> {
        self.setting
    }
}

impl From<&str> for ProxyAddress {
    fn from(address: &str) -> Self {
        Self {
            address: address.to_owned(),
            setting: None,
        }
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
        let start = self.address.rfind('@').map_or(0, |at| at + 1);
        write!(f, "{:?}", &self.address[start..])
    }
}
