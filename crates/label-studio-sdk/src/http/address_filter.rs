//! Which network addresses may be connected to.

use std::{fmt, net::IpAddr};

use ureq::http::Uri;

/// Decides which network addresses a request may connect to.
pub trait AddressFilter: fmt::Debug + Send + Sync + 'static {
    /// Returns whether a request for `uri` may connect to `address`.
    fn accepts(&self, uri: &Uri, address: IpAddr) -> bool;
}

/// A host has only addresses that the filter does not accept. It comes as [`ureq::Error::Other`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedAddress {
    /// Host of the request.
    pub host: String,
    /// The first of its addresses.
    pub address: IpAddr,
}

impl fmt::Display for RefusedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has the address {}, which is not allowed",
            self.host, self.address
        )
    }
}

impl std::error::Error for RefusedAddress {}
