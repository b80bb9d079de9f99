//! Whose certificates are trusted.
#![cfg(feature = "client")]

mod stand_in;

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::Arc,
    thread,
};

use label_studio_sdk::{Client, ClientError, ClientOptions, MediaError, MediaOptions};
use rcgen::CertifiedKey;
use rustls::{
    ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer,
    version::TLS13,
};
use stand_in::{fetcher::Fetcher, options};
use tempfile::TempDir;

/// A server with a certificate that nobody else has signed, and that certificate in a file.
struct PrivateServer {
    url: String,
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
            ..options(&server.url)
        };
        let version = Client::new(options).unwrap().version();
        assert_eq!(version.is_ok(), is_trusted, "{name}: {version:?}");

        let fetcher = Fetcher::new(None, |options| MediaOptions {
            verify_ssl,
            ca_bundle,
            allow_private_addresses: true,
            ..options
        });
        let path = fetcher.get(&format!("{}/a.json", server.url));
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
            ..options(&server.url)
        };
        let error = Client::new(options).unwrap_err();
        assert!(matches!(error, ClientError::CaBundle { .. }), "{error}");
    }
}

impl PrivateServer {
    fn start() -> Self {
        let names = ["127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(names).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let certificate = dir.path().join("ca.pem");
        fs::write(&certificate, cert.pem()).unwrap();

        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), Arc::clone(&config));
            }
        });
        Self {
            url,
            certificate,
            dir,
        }
    }
}

fn answer(stream: TcpStream, config: Arc<ServerConfig>) {
    let connection = ServerConnection::new(config).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    // A client that does not trust the certificate hangs up here.
    if stream.read(&mut [0; 4096]).is_err() {
        return;
    }
    let body = r#"{"release": "1"}"#;
    let head = format!(
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}",
        body.len()
    );
    drop(write!(stream, "{head}\r\n\r\n{body}"));
    stream.conn.send_close_notify();
    drop(stream.flush());
}
