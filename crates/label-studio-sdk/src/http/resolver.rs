//! Looks up hosts and leaves out addresses that may not be connected to.

use std::{sync::Arc, time::Duration};

use ureq::{
    Timeout,
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

use super::{AddressFilter, RefusedAddress, proxy::ProxyServer};

/// How long this machine tries to resolve a name that a proxy will resolve itself.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// Looks up hosts. Connections are made to what this returns, so a name cannot change its address between check and use.
#[derive(Debug)]
pub(super) struct FilteringResolver {
    pub(super) resolver: Box<dyn Resolver>,
    pub(super) filter: Option<Arc<dyn AddressFilter>>,
    pub(super) proxy: Option<ProxyServer>,
    /// Whether every connection is made to the proxy.
    pub(super) forwards: bool,
}

impl Resolver for FilteringResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        if let Some(proxy) = self.proxy.as_ref().map(|server| server.proxy.uri())
            && (self.forwards || proxy.authority() == uri.authority())
        {
            return self.resolver.resolve(proxy, config, timeout);
        }
        let addresses = self.resolver.resolve(uri, config, timeout)?;
        match &self.filter {
            Some(filter) => filtered(&**filter, uri, &addresses),
            None => Ok(addresses),
        }
    }
}

/// Checks the target of a request that a proxy will resolve. A name that this machine cannot resolve is left to the proxy.
pub(super) fn check_target(filter: &dyn AddressFilter, uri: &Uri) -> Result<(), ureq::Error> {
    let timeout = NextTimeout {
        after: CHECK_TIMEOUT.into(),
        reason: Timeout::Resolve,
        ..NextTimeout::default()
    };
    match DefaultResolver::default().resolve(uri, &Config::default(), timeout) {
        Ok(addresses) => filtered(filter, uri, &addresses).map(drop),
        Err(error) => {
            tracing::debug!(%error, host = uri.host(), "the proxy resolves this name");
            Ok(())
        }
    }
}

fn filtered(
    filter: &dyn AddressFilter,
    uri: &Uri,
    addresses: &ResolvedSocketAddrs,
) -> Result<ResolvedSocketAddrs, ureq::Error> {
    let mut accepted = DefaultResolver::default().empty();
    for address in addresses {
        if filter.accepts(uri, address.ip()) {
            accepted.push(*address);
        }
    }
    match addresses.first() {
        Some(refused) if accepted.is_empty() => Err(ureq::Error::Other(Box::new(RefusedAddress {
            host: uri.host().unwrap_or_default().to_owned(),
            address: refused.ip(),
        }))),
        _ => Ok(accepted),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use ureq::{Agent, unversioned::transport::TcpConnector};

    use super::*;

    const CHECKED: Ipv4Addr = Ipv4Addr::LOCALHOST;
    const CHANGED: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

    /// A name that has another address at every look-up but the first.
    #[derive(Debug)]
    struct ChangingName {
        port: u16,
        n_lookups: Arc<AtomicUsize>,
    }

    impl Resolver for ChangingName {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let is_first = self.n_lookups.fetch_add(1, Ordering::SeqCst) == 0;
            let address = if is_first { CHECKED } else { CHANGED };
            let mut addresses = self.empty();
            addresses.push(SocketAddr::from((address, self.port)));
            Ok(addresses)
        }
    }

    #[derive(Debug)]
    struct Only(Ipv4Addr);

    impl AddressFilter for Only {
        fn accepts(&self, _: &Uri, address: IpAddr) -> bool {
            address == self.0
        }
    }

    fn agent(port: u16, n_lookups: &Arc<AtomicUsize>, accepted: Ipv4Addr) -> Agent {
        let resolver = FilteringResolver {
            resolver: Box::new(ChangingName {
                port,
                n_lookups: Arc::clone(n_lookups),
            }),
            filter: Some(Arc::new(Only(accepted))),
            proxy: None,
            forwards: false,
        };
        let config = Config::builder().proxy(None).build();
        Agent::with_parts(config, TcpConnector::default(), resolver)
    }

    #[test]
    fn the_address_that_was_checked_is_the_one_that_is_dialled() {
        let listener = TcpListener::bind((CHECKED, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
            let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
            stream.write_all(answer).unwrap();
        });
        let n_lookups = Arc::new(AtomicUsize::new(0));
        let url = format!("http://changing.example:{port}/");
        let answer = agent(port, &n_lookups, CHECKED).get(&url).call().unwrap();
        assert_eq!(answer.status(), 204);
        assert_eq!(n_lookups.load(Ordering::SeqCst), 1, "it is looked up once");
        server.join().unwrap();
    }

    #[test]
    fn a_name_without_accepted_addresses_is_not_dialled() {
        let listener = TcpListener::bind((CHECKED, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let agent = agent(port, &Arc::default(), CHANGED);
        let error = agent.get("http://changing.example/").call().unwrap_err();
        let ureq::Error::Other(error) = error else {
            panic!("{error}");
        };
        let refused = RefusedAddress {
            host: "changing.example".into(),
            address: CHECKED.into(),
        };
        assert_eq!(error.downcast_ref(), Some(&refused));
        assert!(listener.accept().is_err(), "nothing was connected");
    }
}
