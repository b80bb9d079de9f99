//! Whose certificates are trusted.
#![cfg(feature = "client")]

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use label_studio_sdk::{
    Client, ClientError, ClientOptions, MediaError, MediaOptions,
    http::{HttpAgent, HttpError, HttpOptions, NetworkOptions},
};
use label_studio_testing::{
    Answer, MockService, label_studio::client_options, media::TestFetcher, tls::Certificate,
};
use tempfile::TempDir;

/// A server with a certificate, and a folder for files.
struct PrivateServer {
    service: MockService,
    dir: TempDir,
}

impl PrivateServer {
    fn start(certificate: &Certificate) -> Self {
        Self {
            service: MockService::start_tls(certificate, |_| Answer::ok(r#"{"release": "1"}"#)),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn client(&self, verify_ssl: bool, ca_bundle: Option<PathBuf>) -> Result<(), ClientError> {
        let options = ClientOptions {
            verify_ssl,
            network: network(ca_bundle),
            ..client_options(&self.service.url(""))
        };
        Client::new(options)?.version().map(drop)
    }

    fn media(&self, verify_ssl: bool, ca_bundle: Option<PathBuf>) -> Result<PathBuf, MediaError> {
        let fetcher = TestFetcher::new(None, |options| MediaOptions {
            verify_ssl,
            network: network(ca_bundle),
            allow_private_addresses: true,
            ..options
        });
        fetcher.get(&self.service.url("/a.json"))
    }
}

fn network(ca_bundle: Option<PathBuf>) -> NetworkOptions {
    NetworkOptions {
        ca_bundle,
        ..NetworkOptions::default()
    }
}

fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[test]
fn a_private_certificate_is_trusted_when_it_is_listed() {
    for certificate in [
        Certificate::self_signed(),
        Certificate::self_signed_authority(),
        Certificate::issued(),
    ] {
        let server = PrivateServer::start(&certificate);
        let pem = certificate.trusted_pem();
        let file = server.file("ca.pem", pem);
        server.file("folder/ca.pem", pem);
        server.file("folder/README", "no certificate");
        let folder = server.dir.path().join("folder");
        for (name, verify_ssl, ca_bundle, is_trusted) in [
            ("nothing set", true, None, false),
            ("listed", true, Some(file), true),
            ("in a folder", true, Some(folder), true),
            ("not verified", false, None, true),
        ] {
            let version = server.client(verify_ssl, ca_bundle.clone());
            assert_eq!(version.is_ok(), is_trusted, "{name}: {version:?}");
            let path = server.media(verify_ssl, ca_bundle);
            assert_eq!(path.is_ok(), is_trusted, "{name}: {path:?}");
            if let Err(error) = path {
                assert!(
                    matches!(error, MediaError::Connection { .. }),
                    "{name}: {error}"
                );
            }
        }
    }
}

#[test]
fn a_listed_certificate_must_fit_all_the_same() {
    for (certificate, problem) in [
        (Certificate::expired_authority(), "has expired: renew it"),
        (
            Certificate::early_authority(),
            "is not valid yet: check the clocks",
        ),
        (
            Certificate::self_signed_authority_for("ls.example"),
            "is for another name: use an address with a name of the certificate",
        ),
    ] {
        let server = PrivateServer::start(&certificate);
        let bundle = server.file("ca.pem", certificate.trusted_pem());
        let error = server.client(true, Some(bundle)).unwrap_err();
        let text = chain(&error);
        assert!(
            text.contains(&format!("the certificate of 127.0.0.1 {problem}")),
            "{text}"
        );
        assert!(text.contains("LABEL_STUDIO_VERIFY_SSL=false"), "{text}");
    }
}

#[test]
fn an_authority_that_is_not_listed_is_refused_by_name_of_the_setting() {
    let server = PrivateServer::start(&Certificate::self_signed_authority());
    // Another key under the same name.
    let other = Certificate::self_signed_authority();
    let bundle = server.file("other.pem", other.trusted_pem());
    let untrusted = "the certificate of 127.0.0.1 is not";
    for (ca_bundle, fix) in [
        (
            None,
            "set REQUESTS_CA_BUNDLE to a PEM file with the certificate of its authority",
        ),
        (Some(bundle), "other.pem (REQUESTS_CA_BUNDLE)"),
    ] {
        let errors = [
            chain(&server.client(true, ca_bundle.clone()).unwrap_err()),
            chain(&server.media(true, ca_bundle).unwrap_err()),
        ];
        for text in errors {
            assert!(text.contains(untrusted) && text.contains(fix), "{text}");
            assert!(!text.contains("LABEL_STUDIO_URL"), "{text}");
        }
    }
}

#[test]
fn a_list_of_certificates_that_cannot_be_read_is_an_error() {
    let server = PrivateServer::start(&Certificate::self_signed_authority());
    let empty = server.file("empty.pem", "");
    let broken = server.file(
        "broken.pem",
        "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n",
    );
    server.file("none/README", "no certificate");
    let folder = server.dir.path().join("none");
    for path in [
        empty.as_path(),
        &broken,
        &folder,
        Path::new("/does/not/exist.pem"),
    ] {
        let error = HttpAgent::new(&HttpOptions {
            network: network(Some(path.to_owned())),
            ..HttpOptions::default()
        });
        let error = error.unwrap_err();
        assert!(matches!(error, HttpError::CaBundle { .. }), "{error}");
        let error = server.client(true, Some(path.to_owned())).unwrap_err();
        assert!(chain(&error).contains("REQUESTS_CA_BUNDLE"), "{error}");
    }
}
