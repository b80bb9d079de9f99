//! Hosts that are reached without a proxy.

use std::net::IpAddr;

use ipnet::IpNet;

/// The rules of `NO_PROXY`, as Python's `requests` reads them; besides, loopback addresses always match.
#[derive(Debug, Clone, Default)]
pub(super) struct NoProxy(Vec<Rule>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Rule {
    Everything,
    /// Addresses of a network.
    Network(IpNet),
    /// A host, its subdomains if it is a name, and the port where only that one is meant.
    Host {
        host: Host,
        port: Option<u16>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    Domain(String),
}

impl NoProxy {
    pub(super) fn parse(rules: &str) -> Self {
        Self(rules.split(',').filter_map(Rule::parse).collect())
    }

    /// Returns whether a host is reached without a proxy.
    pub(super) fn matches(&self, host: &str, port: Option<u16>) -> bool {
        let host = Host::parse(host);
        host.is_loopback() || self.0.iter().any(|rule| rule.matches(&host, port))
    }
}

impl Rule {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::Everything);
        }
        if let Ok(network) = text.parse() {
            return Some(Self::Network(network));
        }
        if let Ok(address) = text.parse() {
            let host = Host::Address(address);
            return Some(Self::Host { host, port: None });
        }
        let with_port = text
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = match with_port {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        };
        let host = host.strip_prefix('*').unwrap_or(host);
        let host = Host::parse(host.trim_start_matches('.'));
        Some(Self::Host { host, port })
    }

    fn matches(&self, host: &Host, port: Option<u16>) -> bool {
        match self {
            Self::Everything => true,
            Self::Network(network) => match host {
                Host::Address(address) => network.contains(address),
                Host::Domain(_) => false,
            },
            Self::Host {
                host: known,
                port: wanted,
            } => known.includes(host) && (wanted.is_none() || *wanted == port),
        }
    }
}

impl Host {
    fn parse(text: &str) -> Self {
        let bare = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        match bare.unwrap_or(text).parse() {
            Ok(address) => Self::Address(address),
            Err(_) => Self::Domain(text.trim_end_matches('.').to_ascii_lowercase()),
        }
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Address(address) => address.to_canonical().is_loopback(),
            Self::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        }
    }

    fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Domain(name), Self::Domain(other)) => {
                let rest = other.strip_suffix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            _ => self == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NoProxy;

    #[test]
    fn hosts_are_compared_with_the_rules_as_requests_does() {
        for (rules, host, port, expected) in [
            ("", "example.org", None, false),
            ("*", "example.org", None, true),
            ("example.org", "example.org", None, true),
            ("example.org", "Example.ORG.", None, true),
            ("example.org", "a.b.example.org", None, true),
            ("example.org", "notexample.org", None, false),
            (".example.org", "a.example.org", None, true),
            (".example.org", "example.org", None, true),
            ("*.example.org", "a.example.org", None, true),
            ("example.org:8080", "example.org", Some(8080), true),
            ("example.org:8080", "a.example.org", Some(8080), true),
            ("example.org:8080", "example.org", Some(80), false),
            ("example.org:8080", "example.org", None, false),
            (" one , two ", "two", None, true),
            (",,", "two", None, false),
            ("10.0.0.0/8", "10.1.2.3", None, true),
            ("10.0.0.0/8", "11.1.2.3", None, false),
            ("10.0.0.0/8", "ten.example.org", None, false),
            ("10.1.2.3", "10.1.2.3", Some(9000), true),
            ("10.1.2.3:9000", "10.1.2.3", Some(9000), true),
            ("10.1.2.3:9000", "10.1.2.3", Some(80), false),
            ("0.1.2.3", "10.1.2.3", None, false),
            ("2001:db8::/32", "[2001:db8::1]", None, true),
            ("2001:db8::1", "[2001:db8::1]", None, true),
            ("[2001:db8::1]:8080", "[2001:db8::1]", Some(8080), true),
            ("", "localhost", Some(9090), true),
            ("", "ls.localhost", None, true),
            ("", "127.0.0.2", None, true),
            ("", "[::1]", None, true),
            ("", "[::ffff:127.0.0.1]", None, true),
            ("", "10.0.0.1", None, false),
        ] {
            let found = NoProxy::parse(rules).matches(host, port);
            assert_eq!(found, expected, "{rules:?} {host} {port:?}");
        }
    }
}
