//! Why an agent cannot be made, and what a failed request means.

use std::{fmt, io, path::PathBuf};

use rustls::CertificateError;
use ureq::Timeout;

/// Why an agent cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The certificate authorities to trust cannot be read.
    #[error("cannot read certificates from {}; check {setting}", path.display())]
    CaBundle {
        /// The file or folder as configured.
        path: PathBuf,
        /// Environment variable that names it.
        setting: &'static str,
        /// What is wrong with it.
        #[source]
        source: io::Error,
    },
    /// A proxy's address is not one.
    #[error("{setting} is not the address of a proxy; write it as http://host:port")]
    Proxy {
        /// Environment variable of the proxy.
        setting: &'static str,
    },
}

/// A server's certificate is not accepted. It comes as [`ureq::Error::Other`].
#[derive(Debug, Clone)]
pub struct CertificateProblem {
    /// Host of the server, or of the proxy.
    pub host: String,
    pub(super) reason: CertificateError,
    pub(super) ca_bundle: Option<PathBuf>,
    pub(super) ca_bundle_setting: &'static str,
    pub(super) verify_setting: Option<&'static str>,
}

impl CertificateProblem {
    /// Returns the problem that a failed request is due to.
    pub fn of(error: &ureq::Error) -> Option<&Self> {
        match error {
            ureq::Error::Other(other) => match other.downcast_ref::<ProxyFailure>() {
                Some(failure) => Self::of(&failure.source),
                None => other.downcast_ref(),
            },
            _ => None,
        }
    }

    fn fix(&self) -> String {
        let authority = match &self.ca_bundle {
            Some(path) => format!(
                "add the certificate of its authority to {} ({})",
                path.display(),
                self.ca_bundle_setting
            ),
            None => "set REQUESTS_CA_BUNDLE to a PEM file with the certificate of its authority"
                .to_owned(),
        };
        let renewed = match self.reason {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => "renew it",
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "check the clocks of both machines"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "use an address with a name of the certificate, or make one with this name as subjectAltName"
            }
            _ => &authority,
        };
        match self.verify_setting {
            Some(setting) => format!("{renewed}; {setting}=false switches the check off"),
            None => renewed.to_owned(),
        }
    }
}

impl fmt::Display for CertificateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate of {} ", self.host)?;
        match &self.reason {
            CertificateError::UnknownIssuer => {
                f.write_str("is not signed by a trusted authority")?;
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                f.write_str("has expired")?;
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                f.write_str("is not valid yet")?;
            }
            CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
                f.write_str("has no subjectAltName")?;
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                f.write_str("is for another name")?;
            }
            reason => write!(f, "is not accepted ({reason})")?,
        }
        write!(f, ": {}", self.fix())
    }
}

impl std::error::Error for CertificateProblem {}

/// A proxy was not reached or did not do its part. It comes as [`ureq::Error::Other`].
#[derive(Debug, thiserror::Error)]
#[error("the proxy {proxy} of {setting} failed; change {setting}, or list the host in NO_PROXY")]
pub struct ProxyFailure {
    /// Host and port of the proxy.
    pub proxy: String,
    /// Environment variable that names the proxy.
    pub setting: &'static str,
    /// What went wrong.
    #[source]
    pub source: Box<ureq::Error>,
}

/// Returns whether the other side was not reached or hung up, so that a GET may be sent again.
pub fn is_connection_failure(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed => true,
        ureq::Error::Timeout(timeout) => matches!(timeout, Timeout::Connect | Timeout::Resolve),
        ureq::Error::Io(error) => matches!(
            error.kind(),
            io::ErrorKind::BrokenPipe
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::ConnectionRefused
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::NotConnected
                | io::ErrorKind::UnexpectedEof
        ),
        ureq::Error::Other(other) => other
            .downcast_ref::<ProxyFailure>()
            .is_some_and(|failure| is_connection_failure(&failure.source)),
        _ => false,
    }
}
