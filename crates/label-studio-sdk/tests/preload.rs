//! Which texts of task data are addresses, and what takes their place.
#![cfg(feature = "client")]

use label_studio_sdk::{MediaError, MediaOptions, media::needs_preload};
use label_studio_testing::{
    Answer, MockService,
    media::{TestFetcher, allow_private},
};
use serde_json::{Value, json};

/// Cases of the Python original that are decided otherwise.
const FIXED: &[(&str, &str)] = &[
    ("upload my file", "it is a text that starts with a word"),
    ("gs: hello", "it is a text that starts with an abbreviation"),
    ("foo://bar baz", "nothing can be fetched with such a scheme"),
];

#[test]
fn addresses_are_told_from_texts_as_recorded() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../vectors/core_preload.json")).unwrap();
    for case in vectors["cases"].as_array().unwrap() {
        let value = case["value"].as_str().unwrap();
        let is_fixed = FIXED.iter().any(|(fixed, _)| *fixed == value);
        let expect = case["needed"] == true && !is_fixed;
        assert_eq!(needs_preload(value), expect, "{value:?}");
    }
}

#[test]
fn addresses_are_told_from_texts() {
    for (value, expect) in [
        (" /data/upload/1/a.txt\n", true),
        ("upload/1/a.txt", true),
        ("upload/1/", false),
        ("upload/one/a.txt", false),
        ("/data/local-files/?d=a.txt", true),
        ("/data/local-files/?d=", false),
        ("/storage-data/uploaded/?filepath=upload/1/a.txt", true),
        ("/tasks/1/resolve/?fileuri=czM6Ly9iL2s=", true),
        ("s3://bucket/my folder/a.txt", true),
        ("s3://", false),
        ("azure-blob://container/a.txt", true),
        ("https://x.y/z is worth reading", false),
        ("https://x.y/z\nhttps://x.y/w", false),
        ("ftp://x.y/z", false),
        ("Cargo.toml", false),
        ("src", false),
        ("/etc/passwd", false),
        ("data:text/plain,hello", false),
    ] {
        assert_eq!(needs_preload(value), expect, "{value:?}");
    }
    assert!(!needs_preload(&format!(
        "https://x.y/{}",
        "z".repeat(10_000)
    )));
}

#[test]
fn texts_take_the_place_of_addresses_at_any_depth() {
    let server = MockService::start(|asked| match asked.path() {
        "/a.txt" => Answer::ok("grüße, \u{feff}\r\n"),
        _ => Answer::status(404),
    });
    let fetcher = TestFetcher::new(None, allow_private);
    let url = format!("{}/a.txt", server.url(""));
    let data =
        json!({"text": url, "kept": "upload my file", "n": 1, "list": [url, {"inner": url}, null]});
    let text = "grüße, \u{feff}\r\n";
    let preloaded = fetcher
        .media
        .preload(data.as_object().unwrap(), None)
        .unwrap();
    assert_eq!(
        Value::Object(preloaded),
        json!({"text": text, "kept": "upload my file", "n": 1, "list": [text, {"inner": text}, null]})
    );
    assert_eq!(server.received().len(), 1, "one address is fetched once");

    let paths = fetcher
        .media
        .preload_paths(data.as_object().unwrap(), None)
        .unwrap();
    let path = paths["text"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), text);
    assert_eq!(paths["list"][1]["inner"], path);
}

#[test]
fn a_file_that_is_not_text_is_an_error() {
    let server = MockService::start(|_| Answer::ok(b"\x89PNG\xff"));
    let fetcher = TestFetcher::new(None, allow_private);
    let data = json!({"text": format!("{}/a.txt", server.url(""))});
    let error = fetcher
        .media
        .preload(data.as_object().unwrap(), None)
        .unwrap_err();
    assert!(matches!(error, MediaError::NotText { .. }), "{error}");
}

#[test]
fn a_long_text_is_an_error() {
    let server = MockService::start(|_| Answer::ok("12345"));
    for (limit, is_fine) in [(5, true), (4, false)] {
        let fetcher = TestFetcher::new(None, |options| MediaOptions {
            max_text_bytes: limit,
            ..allow_private(options)
        });
        let data = json!({"text": format!("{}/a.txt", server.url(""))});
        let preloaded = fetcher.media.preload(data.as_object().unwrap(), None);
        assert_eq!(preloaded.is_ok(), is_fine, "limit {limit}");
    }
}

#[test]
fn a_file_that_cannot_be_had_is_an_error() {
    let server = MockService::start(|_| Answer::status(404));
    let fetcher = TestFetcher::new(None, allow_private);
    let data = json!({"text": format!("{}/a.txt", server.url(""))});
    let error = fetcher
        .media
        .preload(data.as_object().unwrap(), None)
        .unwrap_err();
    assert!(
        matches!(error, MediaError::Status { status: 404, .. }),
        "{error}"
    );
}
