//! Checks whether Label Studio accepts the backend's address.

use std::net::{IpAddr, ToSocketAddrs};

use url::Url;

use crate::doctor::{release::Release, report::Finding, state::Doctor};

/// How far an address reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// This machine.
    Loopback,
    /// This network.
    Private,
    /// Everywhere.
    Public,
}

impl Doctor {
    pub(super) fn check_address(&mut self) -> Finding {
        if let Some(connected) = self
            .connected
            .as_ref()
            .filter(|backend| backend.state == "CO")
        {
            let host = Url::parse(&connected.url).ok();
            let host = host.as_ref().and_then(Url::host_str).unwrap_or_default();
            return Finding::Fine(format!("Label Studio accepts and reaches {host}"));
        }
        let url = &self.backend.url;
        let host = url.host_str().unwrap_or_default();
        let Some(reach) = reach(url) else {
            return Finding::Failure(format!(
                "{host} cannot be resolved here; check the name in --backend-url"
            ));
        };
        let label_studio = Url::parse(self.args.url()).ok();
        let its_reach = label_studio
            .as_ref()
            .and_then(self::reach)
            .unwrap_or(Reach::Public);
        let its_host = label_studio
            .as_ref()
            .and_then(Url::host_str)
            .unwrap_or("Label Studio");
        let accepts_private = self.is_before(Release::REFUSES_PRIVATE_ADDRESSES);
        let switches = if accepts_private {
            "this version of Label Studio accepts private addresses"
        } else {
            "Label Studio refuses private addresses unless it runs with ML_BLOCK_LOCAL_IP=false, and webhooks to them \
             unless SSRF_PROTECTION_ENABLED=false"
        };
        match reach {
            Reach::Public => Finding::Fine(format!("{host} is a public address")),
            Reach::Loopback if its_reach > reach => Finding::Failure(format!(
                "{host} on {its_host} is that machine itself; connect an address of this machine that it reaches"
            )),
            Reach::Private if its_reach > reach => Finding::Failure(format!(
                "{host} is in a private network, which {its_host} does not reach or refuses; give the backend a public \
                 address"
            )),
            Reach::Loopback => Finding::Warning(format!(
                "{host} reaches this machine only, and inside a container the container only (connect \
                 http://host.docker.internal:{} there); {switches}",
                url.port_or_known_default().unwrap_or_default()
            )),
            Reach::Private if accepts_private => {
                Finding::Fine(format!("{host} is in a private network; {switches}"))
            }
            Reach::Private => {
                Finding::Warning(format!("{host} is in a private network; {switches}"))
            }
        }
    }
}

/// Returns the reach of a host's most private address; `None` when its name cannot be resolved.
fn reach(url: &Url) -> Option<Reach> {
    let host = url.host_str()?.trim_matches(['[', ']']);
    let addresses = (host, url.port_or_known_default()?)
        .to_socket_addrs()
        .ok()?;
    addresses.map(|address| reach_of(address.ip())).min()
}

fn reach_of(address: IpAddr) -> Reach {
    let address = address.to_canonical();
    let is_private = match address {
        IpAddr::V4(address) => {
            address.is_private() || address.is_link_local() || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_unicast_link_local() || address.is_unspecified()
        }
    };
    match (address.is_loopback(), is_private) {
        (true, _) => Reach::Loopback,
        (false, true) => Reach::Private,
        (false, false) => Reach::Public,
    }
}
