//! The agent: sends a request directly or through a proxy.

use std::{sync::Arc, time::Duration};

use ureq::{
    Agent, AsSendBody, Body,
    config::Config,
    http::{Request, Response, StatusCode, Uri},
    unversioned::{
        resolver::DefaultResolver,
        transport::{ConnectProxyConnector, Connector as _, SocksConnector, TcpConnector},
    },
};

use super::{
    AddressFilter, CertificateProblem, HttpError, HttpOptions, ProxyFailure,
    error::is_connection_failure,
    forward::ForwardConnector,
    proxy::{Proxies, ProxyServer},
    resolver::{FilteringResolver, check_target},
    tls::TlsConnector,
};

const USER_AGENT: &str = concat!("label-studio-ml/", env!("CARGO_PKG_VERSION"));

/// Sends HTTP requests. Clones share connections.
#[derive(Debug, Clone)]
pub struct HttpAgent(Arc<Routes>);

#[derive(Debug)]
struct Routes {
    direct: Agent,
    http: Option<Route>,
    https: Option<Route>,
    proxies: Proxies,
    filter: Option<Arc<dyn AddressFilter>>,
}

/// A proxy and the agent that goes through it.
#[derive(Debug)]
struct Route {
    server: ProxyServer,
    agent: Agent,
}

impl HttpAgent {
    /// Creates an agent. Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates cannot be read or a proxy's address is not one.
    pub fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        Self::with_optional_filter(options, None)
    }

    /// Creates an agent that connects only to addresses that the filter accepts.
    ///
    /// # Errors
    /// As [`HttpAgent::new`].
    pub fn with_filter(
        options: &HttpOptions,
        filter: Arc<dyn AddressFilter>,
    ) -> Result<Self, HttpError> {
        Self::with_optional_filter(options, Some(filter))
    }

    fn with_optional_filter(
        options: &HttpOptions,
        filter: Option<Arc<dyn AddressFilter>>,
    ) -> Result<Self, HttpError> {
        let tls = TlsConnector::new(options)?;
        let proxies = Proxies::new(&options.network)?;
        let route = |server: &Option<ProxyServer>, is_http: bool| {
            let server = server.clone()?;
            let agent = if is_http && server.forwards() {
                forwarding_agent(options, &server, &tls)
            } else {
                agent(options, &tls, Some(&server), filter.clone())
            };
            Some(Route { server, agent })
        };
        Ok(Self(Arc::new(Routes {
            direct: agent(options, &tls, None, filter.clone()),
            http: route(&proxies.http, true),
            https: route(&proxies.https, false),
            proxies,
            filter,
        })))
    }

    /// Sends a request, within `timeout` if it is given, and returns the answer of any status.
    ///
    /// # Errors
    /// When there is no answer. The error is a [`CertificateProblem`], a [`ProxyFailure`] or a
    /// [`RefusedAddress`](super::RefusedAddress) inside [`ureq::Error::Other`], or one of ureq's own.
    pub fn run(
        &self,
        request: Request<impl AsSendBody>,
        timeout: Option<Duration>,
    ) -> Result<Response<Body>, ureq::Error> {
        let route = self.0.route(request.uri());
        if let (Some(_), Some(filter)) = (route, &self.0.filter) {
            check_target(&**filter, request.uri())?;
        }
        let agent = route.map_or(&self.0.direct, |route| &route.agent);
        let answer = match timeout {
            Some(timeout) => {
                let request = agent.configure_request(request);
                agent.run(request.timeout_global(Some(timeout)).build())
            }
            None => agent.run(request),
        };
        match (answer, route) {
            (Ok(response), Some(route))
                if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED =>
            {
                let reason = "it wants a user and a password".to_owned();
                Err(route.failure(ureq::Error::ConnectProxyFailed(reason)))
            }
            (Err(error), Some(route)) if is_failure_of_proxy(&error) => Err(route.failure(error)),
            (answer, _) => answer,
        }
    }
}

impl Routes {
    fn route(&self, uri: &Uri) -> Option<&Route> {
        let route = match uri.scheme_str() {
            Some("https") => &self.https,
            _ => &self.http,
        };
        route.as_ref().filter(|_| self.proxies.applies_to(uri))
    }
}

impl Route {
    fn failure(&self, error: ureq::Error) -> ureq::Error {
        ureq::Error::Other(Box::new(ProxyFailure {
            proxy: self.server.host_and_port(),
            setting: self.server.setting,
            source: Box::new(error),
        }))
    }
}

/// Returns whether the proxy is to blame, which is the only other side that a connection is made to.
fn is_failure_of_proxy(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::ConnectProxyFailed(_))
        || CertificateProblem::of(error).is_none() && is_connection_failure(error)
}

fn agent(
    options: &HttpOptions,
    tls: &TlsConnector,
    server: Option<&ProxyServer>,
    filter: Option<Arc<dyn AddressFilter>>,
) -> Agent {
    let connector =
        ().chain(SocksConnector::default())
            .chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(tls.clone());
    let resolver = FilteringResolver {
        resolver: Box::new(DefaultResolver::default()),
        filter,
        proxy: server.cloned(),
        forwards: false,
    };
    Agent::with_parts(config(options, server), connector, resolver)
}

fn forwarding_agent(options: &HttpOptions, server: &ProxyServer, tls: &TlsConnector) -> Agent {
    let connector =
        ().chain(TcpConnector::default())
            .chain(tls.to_proxy(server.proxy.uri()))
            .chain(ForwardConnector::new(&server.proxy));
    let resolver = FilteringResolver {
        resolver: Box::new(DefaultResolver::default()),
        filter: None,
        proxy: Some(server.clone()),
        forwards: true,
    };
    Agent::with_parts(config(options, None), connector, resolver)
}

fn config(options: &HttpOptions, server: Option<&ProxyServer>) -> Config {
    let config = Config::builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(server.map(|server| server.proxy.clone()))
        .user_agent(USER_AGENT)
        .max_idle_connections_per_host(options.max_idle_connections)
        .timeout_resolve(Some(options.connect_timeout))
        .timeout_connect(Some(options.connect_timeout))
        .timeout_per_read(Some(options.read_timeout))
        .timeout_global(options.overall_timeout);
    if options.accept_compressed {
        config.build()
    } else {
        config.accept_encoding("identity").build()
    }
}
