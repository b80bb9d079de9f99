//! Which proxy a request goes through.

use ureq::{Proxy, ProxyProtocol, http::Uri};

use super::{HttpError, NetworkOptions, ProxyAddress, no_proxy::NoProxy};

/// The proxies of a process.
#[derive(Debug)]
pub(super) struct Proxies {
    pub(super) http: Option<ProxyServer>,
    pub(super) https: Option<ProxyServer>,
    no_proxy: NoProxy,
}

/// A proxy, and the setting it comes from.
#[derive(Debug, Clone)]
pub(super) struct ProxyServer {
    pub(super) proxy: Proxy,
    pub(super) setting: &'static str,
}

impl Proxies {
    pub(super) fn new(options: &NetworkOptions) -> Result<Self, HttpError> {
        let server = |address: &Option<ProxyAddress>, setting| match address {
            Some(address) => ProxyServer::parse(address, setting),
            None => Ok(None),
        };
        let all = server(&options.all_proxy, "ALL_PROXY")?;
        let of_scheme = |address: &Option<ProxyAddress>, setting| {
            let server = server(address, setting)?;
            Ok::<_, HttpError>(server.or_else(|| all.clone()))
        };
        Ok(Self {
            http: of_scheme(&options.http_proxy, "HTTP_PROXY")?,
            https: of_scheme(&options.https_proxy, "HTTPS_PROXY")?,
            no_proxy: NoProxy::parse(&options.no_proxy),
        })
    }

    /// Returns whether a request goes through the proxy of its scheme, if there is one.
    pub(super) fn applies_to(&self, uri: &Uri) -> bool {
        let host = uri.host().unwrap_or_default();
        !self.no_proxy.matches(host, uri.port_u16())
    }
}

impl ProxyServer {
    /// Reads the address of a proxy; `None` when it is empty.
    fn parse(address: &ProxyAddress, setting: &'static str) -> Result<Option<Self>, HttpError> {
        let setting = address.setting().unwrap_or(setting);
        let address = address.as_str().trim();
        if address.is_empty() {
            return Ok(None);
        }
        // Compose files often leave the scheme out.
        let address = if address.contains("://") {
            address.to_owned()
        } else {
            format!("http://{address}")
        };
        let proxy = Proxy::new(&address).map_err(|_| HttpError::Proxy { setting })?;
        Ok(Some(Self { proxy, setting }))
    }

    /// Returns host and port.
    pub(super) fn host_and_port(&self) -> String {
        format!("{}:{}", self.proxy.host(), self.proxy.port())
    }

    /// Returns whether an `http` address is asked of the proxy in full; SOCKS proxies have their own protocol.
    pub(super) fn forwards(&self) -> bool {
        matches!(
            self.proxy.protocol(),
            ProxyProtocol::Http | ProxyProtocol::Https
        )
    }
}
