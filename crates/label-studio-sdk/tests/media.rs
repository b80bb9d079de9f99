//! From what stands in a task's data to a file on this machine.
#![cfg(feature = "client")]

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use label_studio_sdk::{Client, ClientOptions, MediaError, MediaFetcher, MediaOptions};
use label_studio_testing::{
    Answer, MockService, label_studio::client_options, media::TestFetcher, tokens::access_token,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::{Position, Url};

const TOKEN: &str = "legacy123";
const HOST: &str = "http://ls.example:8080";
const CDN: &str = "https://cdn.example.com";

/// Cases of the Python original that end otherwise.
const FIXED: &[(&str, &str)] = &[
    (
        "local_files_present",
        "the file itself is returned, not a copy in the cache",
    ),
    ("bad_hostname", "already refused when the client is made"),
];

const VECTORS: [&str; 2] = [
    include_str!("../../../vectors/core_local_path.json"),
    include_str!("../../../vectors/own_local_path.json"),
];

#[test]
fn files_are_asked_for_as_recorded() {
    let vectors = VECTORS.map(|vectors| serde_json::from_str::<Value>(vectors).unwrap());
    for case in vectors
        .iter()
        .flat_map(|vectors| vectors["cases"].as_array().unwrap())
    {
        let name = case["name"].as_str().unwrap();
        if !FIXED.iter().any(|(fixed, _)| *fixed == name) {
            check(name, case);
        }
    }
}

/// Runs a recorded case with mocks of its two hosts.
fn check(name: &str, case: &Value) {
    let is_recorded_error = case["error"].is_string();
    let server = MockService::start({
        let name = name.to_owned();
        move |asked| match name.as_str() {
            "data_upload_both_fail" => Answer::status(404),
            "data_upload_fallback" if asked.path().starts_with("/storage") => Answer::status(404),
            _ => Answer::ok("content"),
        }
    });
    let cdn = MockService::start(|_| Answer::ok("content"));
    let here = |text: &str| {
        text.replace(HOST, &server.url(""))
            .replace(CDN, &cdn.url(""))
    };

    let url = here(case["hostname"].as_str().unwrap());
    let client = match case["access_token"].as_str() {
        Some("<JWT>") => Some(client_options(&url).with_token(access_token("a"))),
        Some(token) => Some(client_options(&url).with_token(token)),
        None => None,
    };
    let fetcher = TestFetcher::new(
        client.map(|options| Client::new(options).unwrap()),
        |options| MediaOptions {
            label_studio_url: Some(url.clone()),
            allow_private_addresses: true,
            ..options
        },
    );
    let value = here(case["url"].as_str().unwrap());
    let path = match name {
        "no_download" => fetcher.media.cache_path(&value, case["task_id"].as_i64()),
        _ => fetcher.media.local_path(&value, case["task_id"].as_i64()),
    };
    assert_eq!(path.is_err(), is_recorded_error, "{name}: {path:?}");
    if let Ok(path) = path {
        let recorded = case["returned"].as_str().unwrap();
        let (_, file_name) = recorded.split_once("__").unwrap();
        let got = path.file_name().unwrap().to_str().unwrap();
        assert!(got.ends_with(&format!("__{file_name}")), "{name}: {got}");
        assert_eq!(got.len(), 32 + 2 + file_name.len(), "{name}: {got}");
        if name != "no_download" {
            assert_eq!(fs::read_to_string(path).unwrap(), "content", "{name}");
        }
    }
    let mut asked = [server.received(), cdn.received()].concat().into_iter();
    for expected in case["requests"].as_array().unwrap() {
        let asked = asked
            .next()
            .unwrap_or_else(|| panic!("{name}: too few requests"));
        let url = expected["url"].as_str().unwrap();
        let url = Url::parse(url).unwrap();
        assert_eq!(
            asked.target,
            url[Position::BeforePath..Position::AfterQuery],
            "{name}"
        );
        let authorization = asked
            .authorization()
            .map(|header| header.replace(&access_token("a"), "<JWT>"));
        assert_eq!(json!(authorization), expected["authorization"], "{name}");
        assert!(asked.header("user-agent").is_some(), "{name}");
    }
    assert_eq!(asked.count(), 0, "{name}: too many requests");
}

#[test]
fn different_files_have_different_paths() {
    // The original names one uploaded file after whichever of its two addresses worked.
    let same_upload = ["ab6b8215", "859a474e"];
    let mut recorded_of = HashMap::new();
    let vectors: Value = serde_json::from_str(VECTORS[0]).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let (name, host) = (
            case["name"].as_str().unwrap(),
            case["hostname"].as_str().unwrap(),
        );
        let Some(recorded) = case["returned"].as_str() else {
            continue;
        };
        let client = Client::new(ClientOptions::new(host).with_token(TOKEN)).unwrap();
        let fetcher = TestFetcher::new(Some(client), |options| MediaOptions {
            cache_dir: "/cache".into(),
            ..options
        });
        let path = fetcher
            .media
            .cache_path(case["url"].as_str().unwrap(), Some(7))
            .unwrap();
        let hash = recorded
            .trim_start_matches("<cache_dir>/")
            .split("__")
            .next()
            .unwrap()
            .to_owned();
        let before = recorded_of.entry(path).or_insert_with(|| hash.clone());
        let is_same = *before == hash || same_upload.contains(&hash.as_str());
        assert!(is_same, "{name}");
    }
    assert!(recorded_of.len() >= 10, "{recorded_of:?}");
}

#[test]
fn a_file_below_the_document_root_is_returned_as_it_is() {
    let root = document_root();
    let fetcher = TestFetcher::new(None, |options| with_root(options, root.path()));
    for value in [
        "/data/local-files/?d=dir/1.jpg",
        "/data/local-files/?d=dir%2F1.jpg",
        "/data/local-files/?d=other&d=dir/1.jpg",
        "/data/local-files/?d=/dir//./sub/../1.jpg",
    ] {
        let path = fetcher.get(value).unwrap();
        assert_eq!(
            path,
            root.path().canonicalize().unwrap().join("dir/1.jpg"),
            "{value}"
        );
    }
}

#[test]
fn no_path_leaves_the_document_root() {
    let root = document_root();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("secret"), root.path().join("file"))
            .unwrap();
    }
    let server = MockService::start(|_| Answer::ok("served"));
    let client = server.client(TOKEN);
    let with_root = TestFetcher::new(Some(client.clone()), |options| {
        with_root(options, root.path())
    });
    let without_root = TestFetcher::new(Some(client), |options| options);
    for path in [
        "../../etc/passwd",
        "dir/../../secret",
        "..%2Fsecret",
        "dir/%2e%2e/..%2fsecret",
    ] {
        let value = format!("/data/local-files/?d={path}");
        for fetcher in [&with_root, &without_root] {
            let error = fetcher.get(&value).unwrap_err();
            assert!(
                matches!(error, MediaError::OutsideRoot { .. }),
                "{path}: {error}"
            );
        }
    }
    for path in ["link/secret", "file"] {
        let error = with_root
            .get(&format!("/data/local-files/?d={path}"))
            .unwrap_err();
        assert!(
            matches!(error, MediaError::OutsideRoot { .. }),
            "{path}: {error}"
        );
    }
    assert!(server.received().is_empty());
}

#[test]
fn local_files_that_are_not_here_are_asked_of_label_studio() {
    let root = document_root();
    for document_root in [None, Some(PathBuf::from("/")), Some(root.path().to_owned())] {
        let server = MockService::start(|_| Answer::ok("served"));
        let fetcher = TestFetcher::new(Some(server.client(TOKEN)), |options| MediaOptions {
            document_root,
            ..options
        });
        let path = fetcher
            .get("/data/local-files/?d=etc/hostname-of-nobody")
            .unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "served");
        assert_eq!(
            server.targets(),
            ["/data/local-files/?d=etc/hostname-of-nobody"]
        );
    }
}

#[test]
fn an_upload_is_taken_from_the_folder_of_uploads() {
    let uploads = tempfile::tempdir().unwrap();
    fs::create_dir(uploads.path().join("3")).unwrap();
    fs::write(uploads.path().join("3/a.png"), "here").unwrap();
    let fetcher = TestFetcher::new(None, |options| MediaOptions {
        image_dir: Some(uploads.path().to_owned()),
        ..options
    });
    for value in ["upload/3/a.png", "/upload/3/a.png", "/data/upload/3/a.png"] {
        assert_eq!(
            fs::read_to_string(fetcher.get(value).unwrap()).unwrap(),
            "here",
            "{value}"
        );
    }
    let error = fetcher.get("upload/3/../../secret").unwrap_err();
    assert!(matches!(error, MediaError::OutsideRoot { .. }), "{error}");
}

#[test]
fn the_first_error_of_an_upload_is_reported() {
    let server = MockService::start(|asked| match asked.path() {
        "/storage-data/uploaded/" => Answer::new(400, r#"{"detail": "not supported"}"#),
        _ => Answer::status(404),
    });
    let fetcher = TestFetcher::new(Some(server.client(TOKEN)), |options| options);
    let message = fetcher.get("/data/upload/3/a.png").unwrap_err().to_string();
    let first = format!(
        "{}/storage-data/uploaded/?filepath=upload/3/a.png answered 400; not supported",
        server.url("")
    );
    let then = format!("; then {}/data/upload/3/a.png answered 404", server.url(""));
    assert!(message.starts_with(&format!("{first}{then}")), "{message}");
    assert_eq!(server.received().len(), 2);
}

#[test]
fn label_studio_below_a_path_is_asked_below_it() {
    let server = MockService::start(|asked| match asked.path() {
        "/ls/data/upload/3/a.png" => Answer::ok("content"),
        _ => Answer::status(400),
    });
    let options = client_options(&format!("{}/ls/", server.url(""))).with_token(TOKEN);
    let fetcher = TestFetcher::new(Some(Client::new(options).unwrap()), |options| options);
    let first = fetcher.get("/ls/data/upload/3/a.png").unwrap();
    assert_eq!(fetcher.get("/data/upload/3/a.png").unwrap(), first);
    let expected = "/ls/storage-data/uploaded/?filepath=upload/3/a.png";
    assert_eq!(server.targets(), [expected, "/ls/data/upload/3/a.png"]);
}

#[test]
fn values_that_cannot_be_fetched_say_why() {
    let unconfigured = TestFetcher::new(None, |options| options);
    let server = MockService::start(|_| Answer::status(500));
    let configured = TestFetcher::new(Some(server.client(TOKEN)), |options| options);
    for (fetcher, value, expect) in [
        (
            &configured,
            "/home/me/a.png",
            "paths of this machine are not read",
        ),
        (&configured, "a.png", "paths of this machine are not read"),
        (
            &configured,
            "file:///etc/passwd",
            "paths of this machine are not read",
        ),
        (&configured, "upload my file", "neither a web address"),
        (&configured, "", "neither a web address"),
        (&configured, "/data/local-files/?d=", "names no file"),
        (
            &configured,
            "data:image/png;base64,%%%",
            "not a valid data address",
        ),
        (
            &unconfigured,
            "/data/upload/3/a.png",
            "set LABEL_STUDIO_URL",
        ),
        (&unconfigured, "s3://bucket/a.png", "set LABEL_STUDIO_URL"),
        (&configured, "/data/local-files/?d=a.png", "answered 500"),
    ] {
        let message = fetcher.get(value).unwrap_err().to_string();
        assert!(message.contains(expect), "{value}: {message}");
    }
    let without_task = configured
        .media
        .local_path("s3://bucket/a.png", None)
        .unwrap_err();
    assert!(matches!(without_task, MediaError::MissingTaskId { .. }));
}

#[test]
fn content_in_the_address_becomes_a_file() {
    let fetcher = TestFetcher::new(None, |options| options);
    for (value, ending, content) in [
        ("data:image/png;base64,aGk=", "png", "hi"),
        ("data:image/jpeg;base64,aGk", "jpg", "hi"),
        ("data:audio/mpeg;charset=x;base64,aG%6B=", "mp3", "hi"),
        ("data:text/plain;charset=utf-8,a%20b+c", "txt", "a b+c"),
        ("data:,a", "txt", "a"),
    ] {
        let path = fetcher.get(value).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), content, "{value}");
        assert_eq!(path.extension().unwrap(), ending, "{value}");
    }
}

#[test]
fn an_address_of_label_studio_that_is_not_one_is_an_error() {
    let options = MediaOptions {
        label_studio_url: Some("ls.example:8080".to_owned()),
        ..MediaOptions::new("cache")
    };
    let error = MediaFetcher::new(None, options).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("write it with http:// or https://"),
        "{error}"
    );
}

fn document_root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("dir")).unwrap();
    fs::write(root.path().join("dir/1.jpg"), "here").unwrap();
    root
}

fn with_root(options: MediaOptions, root: &Path) -> MediaOptions {
    MediaOptions {
        document_root: Some(root.to_owned()),
        ..options
    }
}
