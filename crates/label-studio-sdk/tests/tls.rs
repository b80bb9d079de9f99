//! Whose certificates are trusted.
#![cfg(feature = "client")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use label_studio_sdk::{Client, ClientError, ClientOptions, MediaError, MediaOptions};
use label_studio_testing::{
    Answer, MockService, label_studio::client_options, media::TestFetcher, tls::Certificate,
};
use tempfile::TempDir;

/// A server with a self-signed certificate, and that certificate in a file.
struct PrivateServer {
    service: MockService,
    certificate: PathBuf,
    dir: TempDir,
}

#[test]
fn a_private_certificate_is_trusted_when_it_is_listed() {
    let server = PrivateServer::start();
    for (name, verify_ssl, ca_bundle, is_trusted) in [
        ("nothing set", true, None, false),
        ("listed", true, Some(server.certificate.clone()), true),
        ("not verified", false, None, true),
    ] {
        let options = ClientOptions {
            verify_ssl,
            ca_bundle: ca_bundle.clone(),
            ..client_options(&server.service.url(""))
        };
        let version = Client::new(options).unwrap().version();
        assert_eq!(version.is_ok(), is_trusted, "{name}: {version:?}");

        let fetcher = TestFetcher::new(None, |options| MediaOptions {
            verify_ssl,
            ca_bundle,
            allow_private_addresses: true,
            ..options
        });
        let path = fetcher.get(&server.service.url("/a.json"));
        assert_eq!(path.is_ok(), is_trusted, "{name}: {path:?}");
        if let Err(error) = path {
            assert!(
                matches!(error, MediaError::Connection { .. }),
                "{name}: {error}"
            );
        }
    }
}

#[test]
fn a_list_of_certificates_that_cannot_be_read_is_an_error() {
    let server = PrivateServer::start();
    let empty = server.dir.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    for path in [empty.as_path(), Path::new("/does/not/exist.pem")] {
        let options = ClientOptions {
            ca_bundle: Some(path.to_owned()),
            ..client_options(&server.service.url(""))
        };
        let error = Client::new(options).unwrap_err();
        assert!(matches!(error, ClientError::CaBundle { .. }), "{error}");
    }
}

impl PrivateServer {
    fn start() -> Self {
        let certificate = Certificate::self_signed();
        let dir = tempfile::tempdir().unwrap();
        let trusted = dir.path().join("ca.pem");
        fs::write(&trusted, certificate.trusted_pem()).unwrap();
        Self {
            service: MockService::start_tls(&certificate, |_| Answer::ok(r#"{"release": "1"}"#)),
            certificate: trusted,
            dir,
        }
    }
}
