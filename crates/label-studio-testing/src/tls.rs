//! Certificates of mock services.

use std::{fmt, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    version::TLS13,
};

/// Name that every certificate is for.
const HOST: &str = "127.0.0.1";

/// Certificate of a service at 127.0.0.1, its key, and the certificate that a client has to trust.
pub struct Certificate {
    served: CertificateDer<'static>,
    key: Vec<u8>,
    trusted: String,
}

impl Certificate {
    /// Returns a certificate that is signed by itself and is not one of an authority.
    pub fn self_signed() -> Self {
        Self::signed_by_itself(&params(&[HOST]))
    }

    /// Returns a certificate that is signed by itself and says that it is one of an authority, as
    /// `openssl req -x509` makes it.
    pub fn self_signed_authority() -> Self {
        Self::self_signed_authority_for(HOST)
    }

    /// Returns such a certificate for another host.
    pub fn self_signed_authority_for(host: &str) -> Self {
        Self::signed_by_itself(&authority_params(&[host]))
    }

    /// Returns such a certificate that has expired.
    pub fn expired_authority() -> Self {
        let mut params = authority_params(&[HOST]);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        Self::signed_by_itself(&params)
    }

    /// Returns such a certificate that is not valid yet.
    pub fn early_authority() -> Self {
        let mut params = authority_params(&[HOST]);
        params.not_before = date_time_ymd(2200, 1, 1);
        params.not_after = date_time_ymd(2201, 1, 1);
        Self::signed_by_itself(&params)
    }

    /// Returns a certificate that a private authority has issued; clients have to trust the authority.
    ///
    /// # Panics
    /// When no key can be made.
    pub fn issued() -> Self {
        let authority = authority_params(&[]);
        let authority_key = key();
        let trusted = authority
            .self_signed(&authority_key)
            .expect("the parameters are valid")
            .pem();
        let key = key();
        let served = params(&[HOST])
            .signed_by(&key, &Issuer::new(authority, authority_key))
            .expect("the parameters are valid");
        Self {
            served: served.der().clone(),
            key: key.serialize_der(),
            trusted,
        }
    }

    fn signed_by_itself(params: &CertificateParams) -> Self {
        let key = key();
        let served = params.self_signed(&key).expect("the parameters are valid");
        Self {
            served: served.der().clone(),
            key: key.serialize_der(),
            trusted: served.pem(),
        }
    }

    /// Returns the certificate that a client has to trust, in PEM.
    pub fn trusted_pem(&self) -> &str {
        &self.trusted
    }

    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        let key = PrivateKeyDer::Pkcs8(self.key.clone().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .expect("the provider knows TLS 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![self.served.clone()], key)
            .expect("the key fits the certificate");
        Arc::new(config)
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("the name is valid")
}

fn authority_params(names: &[&str]) -> CertificateParams {
    let mut params = params(names);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn key() -> KeyPair {
    KeyPair::generate().expect("a key can be made")
}
