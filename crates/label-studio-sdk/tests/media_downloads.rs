//! What a download may reach, send and cost, and what is left of one that fails.
#![cfg(feature = "client")]

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use label_studio_sdk::{Client, MediaError, MediaOptions};
use label_studio_testing::{
    Answer, MockService,
    label_studio::client_options,
    media::{TestFetcher, allow_private},
    tokens::personal_access_token,
};
use serde_json::json;

const TOKEN: &str = "legacy123";

#[test]
fn the_token_does_not_follow_a_redirect_to_another_host() {
    let storage = MockService::start(|_| Answer::ok("object"));
    let target = format!("{}/object?signature=secret", storage.url(""));
    let server = MockService::start(move |asked| match asked.path() {
        "/tasks/7/presign/" => Answer::redirect(&target),
        _ => Answer::status(404),
    });
    let fetcher = TestFetcher::new(Some(server.client(TOKEN)), allow_private);
    let path = fetcher.get("s3://bucket/a.png").unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "object");
    assert_eq!(
        server.received()[0].authorization(),
        Some("Token legacy123")
    );
    assert_eq!(storage.received()[0].authorization(), None);
}

#[test]
fn the_token_does_not_come_back_with_a_redirect_to_label_studio() {
    let server = MockService::start(|_| Answer::ok("private"));
    let target = format!("{}/data/upload/1/a.png", server.url(""));
    let other = MockService::start(move |_| Answer::redirect(&target));
    let fetcher = TestFetcher::new(Some(server.client(TOKEN)), allow_private);
    fetcher.get(&format!("{}/a.png", other.url(""))).unwrap();
    assert_eq!(server.received()[0].authorization(), None);
}

#[test]
fn the_token_opens_files_only() {
    let server = MockService::start(|_| Answer::ok("content"));
    let fetcher = TestFetcher::new(Some(server.client(TOKEN)), |options| options);
    for (path, expect) in [
        ("/some/pic.jpg", Some("Token legacy123")),
        ("/data/api/pic.jpg", Some("Token legacy123")),
        ("/api/current-user/token", None),
        ("/API/users", None),
        ("/user/account", None),
        ("//api/users", None),
        ("/%61pi/users", None),
        ("/data/../api/users", None),
        ("/data/..%2fapi/users", None),
    ] {
        fetcher.get(&format!("{}{path}", server.url(""))).unwrap();
        let asked = server.received();
        assert_eq!(asked.last().unwrap().authorization(), expect, "{path}");
    }
}

#[test]
fn a_personal_access_token_is_exchanged_and_replaced_when_refused() {
    let n_exchanges = AtomicUsize::new(0);
    let server = MockService::start(move |asked| match asked.path() {
        "/api/token/refresh/" => {
            let n = n_exchanges.fetch_add(1, Ordering::SeqCst);
            Answer::json(&json!({ "access": format!("access-{n}") }))
        }
        _ if asked.authorization() == Some("Bearer access-1") => Answer::ok("content"),
        _ => Answer::status(401),
    });
    let client = server.client(&personal_access_token());
    let fetcher = TestFetcher::new(Some(client), |options| options);
    fetcher.get("/data/local-files/?d=a.png").unwrap();
    assert_eq!(server.received().len(), 4);
}

#[test]
fn a_login_page_is_not_taken_for_the_file() {
    let server = MockService::start(|asked| match asked.path() {
        "/user/login/" => Answer::ok("<html>"),
        _ => Answer::redirect("/user/login/?next=/data/upload/3/a.png"),
    });
    let fetcher = TestFetcher::new(Some(server.client(TOKEN)), |options| options);
    let error = fetcher.get("/data/local-files/?d=a.png").unwrap_err();
    assert!(matches!(error, MediaError::LoginRequired { .. }), "{error}");
    assert!(fetcher.cached().is_empty());
}

#[test]
fn private_addresses_are_refused() {
    let server =
        MockService::start(|_| Answer::redirect("http://169.254.169.254/latest/meta-data/"));
    let other = MockService::start(|_| Answer::ok("intranet"));
    let fetcher = TestFetcher::new(Some(server.client(TOKEN)), |options| options);
    let port = other.port();
    for url in [
        format!("{}/redirect", server.url("")),
        format!("http://127.0.0.1:{port}/"),
        format!("http://localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        "http://10.0.0.1/".to_owned(),
        "http://100.64.0.1/".to_owned(),
        "http://[fd00:ec2::254]/".to_owned(),
    ] {
        let error = fetcher.get(&url).unwrap_err();
        assert!(
            matches!(error, MediaError::PrivateAddress { .. }),
            "{url}: {error}"
        );
    }
    assert!(other.received().is_empty());
}

#[test]
fn redirects_are_checked() {
    let server = MockService::start(|asked| match asked.path() {
        "/file" => Answer::redirect("file:///etc/passwd"),
        "/loop" => Answer::redirect("/loop"),
        "/relative/a" => Answer::redirect("b"),
        "/relative/b" => Answer::ok("content"),
        _ => Answer::new(302, ""),
    });
    let fetcher = TestFetcher::new(None, allow_private);
    let get = |path: &str| fetcher.get(&format!("{}{path}", server.url("")));
    assert!(matches!(get("/file"), Err(MediaError::BadRedirect { .. })));
    assert!(matches!(
        get("/nowhere"),
        Err(MediaError::Status { status: 302, .. })
    ));
    assert_eq!(
        fs::read_to_string(get("/relative/a").unwrap()).unwrap(),
        "content"
    );
    let n_before = server.received().len();
    assert!(matches!(
        get("/loop"),
        Err(MediaError::TooManyRedirects { .. })
    ));
    assert_eq!(server.received().len() - n_before, 11);
}

#[test]
fn credentials_in_an_address_become_a_header() {
    let server = MockService::start(|_| Answer::ok("content"));
    let fetcher = TestFetcher::new(None, allow_private);
    let url = server.url("").replace("http://", "http://me:p%40ss@");
    fetcher.get(&format!("{url}/a.png")).unwrap();
    let asked = &server.received()[0];
    assert_eq!(asked.authorization(), Some("Basic bWU6cEBzcw=="));
    assert_eq!(
        asked.header("host").unwrap(),
        format!("127.0.0.1:{}", server.port())
    );
}

#[test]
fn a_broken_download_leaves_nothing_behind() {
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
    let cut_chunk = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n".to_vec();
    for (name, bytes) in [
        ("length", cut),
        ("chunks", cut_chunk),
        ("nothing", Vec::new()),
    ] {
        let server = MockService::start(move |_| Answer::raw(bytes.clone()));
        let fetcher = TestFetcher::new(None, allow_private);
        let error = fetcher.get(&server.url("")).unwrap_err();
        assert!(
            matches!(error, MediaError::Truncated { .. }),
            "{name}: {error:?}"
        );
        assert_eq!(server.received().len(), 3, "{name}: it is tried again");
        assert!(fetcher.cached().is_empty(), "{name}");
    }
}

#[test]
fn a_download_that_breaks_once_starts_again() {
    let n_asked = AtomicUsize::new(0);
    let server = MockService::start(move |_| match n_asked.fetch_add(1, Ordering::SeqCst) {
        0 => {
            Answer::raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of something".to_vec())
        }
        _ => Answer::ok("whole"),
    });
    let fetcher = TestFetcher::new(None, allow_private);
    let path = fetcher.get(&server.url("")).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "whole");
}

#[test]
fn a_download_that_hangs_is_given_up() {
    let server = MockService::start(|_| Answer::hang());
    let slow_body = MockService::start(|_| Answer::ok("").stalled());
    let changes: [fn(MediaOptions) -> MediaOptions; 2] = [
        |options| MediaOptions {
            read_timeout: Duration::from_millis(50),
            ..options
        },
        |options| MediaOptions {
            overall_timeout: Duration::from_millis(50),
            ..options
        },
    ];
    for change in changes {
        for server in [&server, &slow_body] {
            let fetcher = TestFetcher::new(None, |options| change(allow_private(options)));
            let error = fetcher.get(&server.url("")).unwrap_err();
            assert!(matches!(error, MediaError::Timeout { .. }), "{error:?}");
            assert!(fetcher.cached().is_empty());
        }
    }
}

#[test]
fn a_download_that_drips_is_given_up() {
    let server = MockService::start(|_| Answer::ok("").dripping(Duration::from_millis(5)));
    let fetcher = TestFetcher::new(None, |options| MediaOptions {
        min_rate: 10_000,
        rate_window: Duration::from_millis(50),
        ..allow_private(options)
    });
    let error = fetcher.get(&server.url("")).unwrap_err();
    assert!(
        matches!(
            error,
            MediaError::TooSlow {
                rate: 1..=9_999,
                min_rate: 10_000,
                ..
            }
        ),
        "{error}"
    );
    assert!(fetcher.cached().is_empty());
}

#[test]
fn a_download_ends_before_label_studio_gives_up() {
    let options = MediaOptions::new("cache");
    assert!(options.overall_timeout < Duration::from_secs(100));
    assert!(options.read_timeout < options.overall_timeout);
    // Both addresses of an upload share the time.
    let server = MockService::start(|asked| match asked.path() {
        "/data/upload/3/a.png" => Answer::hang(),
        _ => Answer::status(404),
    });
    let fetcher = TestFetcher::new(Some(server.client(TOKEN)), |options| MediaOptions {
        overall_timeout: Duration::from_millis(200),
        ..options
    });
    let error = fetcher.get("/data/upload/3/a.png").unwrap_err();
    assert!(error.to_string().contains("took too long"), "{error}");
}

#[test]
fn a_file_over_the_limit_is_refused() {
    let server = MockService::start(|asked| match asked.path() {
        "/announced" => Answer::ok("12345"),
        "/chunked" => Answer::raw(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"
                .to_vec(),
        ),
        _ => Answer::raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n12345".to_vec()),
    });
    for path in ["/announced", "/chunked", "/endless"] {
        for (max_bytes, is_fine) in [(5, true), (4, false)] {
            let fetcher = TestFetcher::new(None, |options| MediaOptions {
                max_bytes,
                ..allow_private(options)
            });
            let got = fetcher.get(&format!("{}{path}", server.url("")));
            assert_eq!(got.is_ok(), is_fine, "{path} {max_bytes}");
            if let Err(error) = got {
                assert!(
                    matches!(error, MediaError::TooLarge { limit: 4, .. }),
                    "{error}"
                );
                assert!(fetcher.cached().is_empty());
            }
        }
    }
}

#[test]
fn errors_name_the_address_without_its_secrets() {
    let server = MockService::start(|_| Answer::new(403, "<Error>expired</Error>"));
    let fetcher = TestFetcher::new(None, allow_private);
    let url = server.url("").replace("http://", "http://me:pass@");
    let error = fetcher
        .get(&format!("{url}/a.png?X-Amz-Signature=secret"))
        .unwrap_err();
    let expected = format!("{}/a.png answered 403; an HTML page", server.url(""));
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert!(!format!("{error:?}").contains("secret"));
}

#[test]
fn an_unreachable_server_is_named() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let fetcher = TestFetcher::new(None, allow_private);
    let error = fetcher
        .get(&format!("http://127.0.0.1:{port}/a.png"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot download http://127.0.0.1:{port}/a.png")
    );
}

#[test]
fn the_token_stays_below_label_studios_path() {
    let server = MockService::start(|_| Answer::ok("content"));
    let options = client_options(&format!("{}/ls", server.url(""))).with_token(TOKEN);
    let fetcher = TestFetcher::new(Some(Client::new(options).unwrap()), |options| options);
    for (path, expect) in [
        ("/ls/some/pic.jpg", Some("Token legacy123")),
        ("/ls/api/users", None),
        ("/other/pic.jpg", None),
        ("/ls/../other/pic.jpg", None),
    ] {
        fetcher.get(&format!("{}{path}", server.url(""))).unwrap();
        let asked = server.received();
        assert_eq!(asked.last().unwrap().authorization(), expect, "{path}");
    }
}
