//! Connections protected by TLS.

use std::{
    fmt,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::{CryptoProvider, ring},
    pki_types::ServerName,
};
use ureq::{
    http::Uri,
    unversioned::transport::{
        Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
        TransportAdapter,
    },
};

use super::{
    CertificateProblem, HttpError, HttpOptions, certificates,
    verifier::{AcceptAll, ListedVerifier},
};

/// Wraps a connection in TLS where the request's address or the proxy's says so.
///
/// ureq's own connector takes no verifier from outside.
#[derive(Clone)]
pub(super) struct TlsConnector {
    config: Arc<ClientConfig>,
    ca_bundle: Option<PathBuf>,
    ca_bundle_setting: &'static str,
    verify_setting: Option<&'static str>,
    /// A proxy that every connection is made to and that itself speaks TLS.
    proxy: Option<Uri>,
}

impl TlsConnector {
    pub(super) fn new(options: &HttpOptions) -> Result<Self, HttpError> {
        let config = tls_config(options)?;
        Ok(Self {
            config: Arc::new(config),
            ca_bundle: options.network.ca_bundle.clone(),
            ca_bundle_setting: options.network.ca_bundle_setting(),
            verify_setting: options.verify_setting,
            proxy: None,
        })
    }

    /// Returns a connector for connections that all lead to a proxy.
    pub(super) fn to_proxy(&self, proxy: &Uri) -> Self {
        Self {
            proxy: (proxy.scheme_str() == Some("https")).then(|| proxy.clone()),
            ..self.clone()
        }
    }

    fn failure(&self, host: &str, error: io::Error) -> ureq::Error {
        let cause = error.get_ref().and_then(|cause| cause.downcast_ref());
        let Some(rustls::Error::InvalidCertificate(reason)) = cause else {
            return error.into();
        };
        ureq::Error::Other(Box::new(CertificateProblem {
            host: host.to_owned(),
            reason: reason.clone(),
            ca_bundle: self.ca_bundle.clone(),
            ca_bundle_setting: self.ca_bundle_setting,
            verify_setting: self.verify_setting,
        }))
    }
}

/// Returns how connections are protected, for a protocol other than HTTP.
///
/// # Errors
/// When the certificate authorities cannot be read.
pub fn tls_config(options: &HttpOptions) -> Result<ClientConfig, HttpError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("the provider has ciphers for these versions");
    let config = if !options.verify_ssl {
        let verifier = Arc::new(AcceptAll(provider));
        let builder = builder.dangerous();
        builder.with_custom_certificate_verifier(verifier)
    } else if let Some(path) = &options.network.ca_bundle {
        let setting = options.network.ca_bundle_setting();
        let verifier = listed_verifier(path, setting, provider)?;
        let builder = builder.dangerous();
        builder.with_custom_certificate_verifier(Arc::new(verifier))
    } else {
        builder.with_root_certificates(RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        })
    };
    Ok(config.with_no_client_auth())
}

fn listed_verifier(
    path: &Path,
    setting: &'static str,
    provider: Arc<CryptoProvider>,
) -> Result<ListedVerifier, HttpError> {
    let listed = certificates::read(path, setting)?;
    ListedVerifier::new(listed, provider).ok_or_else(|| HttpError::CaBundle {
        path: path.to_owned(),
        setting,
        source: io::Error::new(
            io::ErrorKind::InvalidData,
            "none of its certificates can be read",
        ),
    })
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = Either<In, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        let is_needed = self.proxy.is_some() || details.needs_tls();
        if !is_needed || transport.is_tls() {
            return Ok(Some(Either::A(transport)));
        }
        let uri = self.proxy.as_ref().unwrap_or(details.uri);
        let host = uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| ureq::Error::Tls("the host is not a valid name"))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.config), name)?;
        let clock = Arc::clone(&details.current_time);
        let mut adapter = TransportAdapter::new(transport.boxed(), clock);
        adapter.set_timeout(details.timeout);
        connection
            .complete_io(&mut adapter)
            .map_err(|error| self.failure(host, error))?;
        Ok(Some(Either::B(TlsTransport {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: StreamOwned::new(connection, adapter),
        })))
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector")
            .field("ca_bundle", &self.ca_bundle)
            .finish_non_exhaustive()
    }
}

/// A connection protected by TLS.
pub(super) struct TlsTransport {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = &self.buffers.output()[..amount];
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.get_mut().set_timeout(timeout);
        let n_read = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(n_read);
        Ok(n_read > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTransport")
            .field("inner", &self.stream.sock.inner())
            .finish_non_exhaustive()
    }
}
