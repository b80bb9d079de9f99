//! The forms in which task data names files of Label Studio.
#![cfg(feature = "client")]

use std::fs;

use label_studio_sdk::{MediaError, MediaOptions, media::needs_preload};
use label_studio_testing::{Answer, MockService, media::TestFetcher};

const TOKEN: Option<&str> = Some("Token legacy123");

fn label_studio() -> MockService {
    MockService::start(|asked| match asked.path() {
        "/storage-data/uploaded/" => Answer::status(400),
        _ => Answer::ok("content"),
    })
}

fn fetcher(server: &MockService) -> TestFetcher {
    TestFetcher::new(Some(server.client("legacy123")), |options| options)
}

#[test]
fn a_path_that_a_proxy_has_added_is_taken_off() {
    for (value, expected) in [
        ("/labelstudio/data/upload/1/a.png", "/data/upload/1/a.png"),
        ("/a/b-c/d.e/data/upload/1/a.png", "/data/upload/1/a.png"),
        (
            "/labelstudio/data/local-files/?d=dir/a.png",
            "/data/local-files/?d=dir/a.png",
        ),
        (
            "/ls/storage-data/uploaded/?filepath=upload/1/a.png",
            "/storage-data/uploaded/?filepath=upload/1/a.png",
        ),
    ] {
        let server = label_studio();
        let found = fetcher(&server).get(value);
        let asked = server.received().pop().unwrap();
        assert_eq!(asked.target, expected, "{value}: {found:?}");
        assert_eq!(asked.authorization(), TOKEN, "{value}");
        assert!(needs_preload(value), "{value}");
    }
    for value in [
        "/home/me/data.png",
        "/etc/data/upload",
        "/a/b/c/d/data/upload/1/a.png",
        "/../data/upload/1/a.png",
        "/a b/data/upload/1/a.png",
        "/labelstudio/upload/1/a.png",
    ] {
        let error = fetcher(&label_studio()).get(value).unwrap_err();
        assert!(
            matches!(error, MediaError::Unsupported { .. }),
            "{value}: {error}"
        );
        assert!(!needs_preload(value), "{value}");
    }
}

#[test]
fn local_files_are_found_under_any_name_of_label_studio() {
    let server = label_studio();
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("dir")).unwrap();
    fs::write(root.path().join("dir/a.png"), "on disk").unwrap();
    let fetcher = TestFetcher::new(Some(server.client("legacy123")), |options| MediaOptions {
        document_root: Some(root.path().to_owned()),
        ..options
    });
    for host in [
        "http://public.example:8080",
        "https://ls.example/labelstudio",
    ] {
        let url = format!("{host}/data/local-files/?d=dir/a.png");
        let path = fetcher.get(&url).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "on disk", "{host}");
        let url = format!("{host}/data/local-files/?d=other.png");
        fetcher.get(&url).unwrap();
        let asked = server.received().pop().unwrap();
        assert_eq!(asked.target, "/data/local-files/?d=other.png");
        assert_eq!(asked.authorization(), TOKEN);
        let url = format!("{host}/data/local-files/?d=../secret");
        let error = fetcher.get(&url).unwrap_err();
        assert!(matches!(error, MediaError::OutsideRoot { .. }), "{error}");
    }
}

#[test]
fn files_at_a_public_address_are_asked_of_the_configured_one() {
    let server = label_studio();
    let public = MockService::start(|_| Answer::ok("public"));
    let fetcher = TestFetcher::new(Some(server.client("legacy123")), |options| MediaOptions {
        allow_private_addresses: true,
        ..options
    });
    let upload = format!("{}/ls/data/upload/1/a.png", public.url(""));
    let path = fetcher.get(&upload).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "public");
    assert_eq!(public.received()[0].authorization(), None, "not known yet");

    fetcher.media.add_public_address("no address");
    for _ in 0..100 {
        let address = format!("{}/ls/", public.url(""));
        fetcher.media.add_public_address(&address);
    }
    let path = fetcher.get(&upload).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "content");
    assert_eq!(server.received().pop().unwrap().authorization(), TOKEN);
    // What is not a file of Label Studio is fetched where it lies, without the token.
    for path in ["/ls/api/users", "/data/upload/1/b.png", "/ls/pic.jpg"] {
        fetcher.get(&format!("{}{path}", public.url(""))).unwrap();
        let asked = public.received().pop().unwrap();
        assert_eq!((asked.path(), asked.authorization()), (path, None));
    }
}

#[test]
fn samples_need_no_token() {
    let server = label_studio();
    let fetcher = TestFetcher::new(None, |options| MediaOptions {
        label_studio_url: Some(server.url("")),
        ..options
    });
    let path = fetcher.get("/static/samples/sample.jpg").unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "content");
    assert_eq!(server.targets(), ["/static/samples/sample.jpg"]);
    assert!(needs_preload("/static/samples/sample.jpg"));
}
