//! From what stands in a task's data to a file on this machine.
#![cfg(feature = "client")]

mod stand_in;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use label_studio_sdk::{Client, ClientOptions, MediaError, MediaFetcher, MediaOptions};
use serde_json::{Value, json};
use stand_in::{Reply, StandIn, access_token, options, personal_access_token};
use tempfile::TempDir;

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

/// A fetcher, and the folder it keeps files in.
struct Fetcher {
    media: MediaFetcher,
    dir: TempDir,
}

impl Fetcher {
    fn new(client: Option<Client>, change: impl FnOnce(MediaOptions) -> MediaOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = MediaOptions {
            retry_delay: Duration::from_millis(1),
            read_timeout: Duration::from_secs(5),
            ..MediaOptions::new(dir.path().join("cache"))
        };
        let media = MediaFetcher::new(client, change(options)).unwrap();
        Self { media, dir }
    }

    fn get(&self, url: &str) -> Result<PathBuf, MediaError> {
        self.media.local_path(url, Some(7))
    }

    fn cached(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.dir.path().join("cache")) else {
            return Vec::new();
        };
        entries.map(|entry| entry.unwrap().path()).collect()
    }
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../vectors/core_local_path.json")).unwrap()
}

#[test]
fn files_are_asked_for_as_recorded() {
    for case in vectors()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if !FIXED.iter().any(|(fixed, _)| *fixed == name) {
            check(name, case);
        }
    }
}

/// Runs a recorded case with stand-ins for its two hosts.
fn check(name: &str, case: &Value) {
    let is_recorded_error = case["error"].is_string();
    let server = StandIn::start({
        let name = name.to_owned();
        move |asked| match name.as_str() {
            "data_upload_both_fail" => Reply::status(404),
            "data_upload_fallback" if asked.path().starts_with("/storage") => Reply::status(404),
            _ => Reply::ok("content"),
        }
    });
    let cdn = StandIn::start(|_| Reply::ok("content"));
    let here = |text: &str| text.replace(HOST, &server.url()).replace(CDN, &cdn.url());

    let url = here(case["hostname"].as_str().unwrap());
    let client = match case["access_token"].as_str() {
        Some("<JWT>") => Some(options(&url).with_token(access_token("a"))),
        Some(token) => Some(options(&url).with_token(token)),
        None => None,
    };
    let fetcher = Fetcher::new(
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
    let mut asked = [server.asked(), cdn.asked()].concat().into_iter();
    for expected in case["requests"].as_array().unwrap() {
        let asked = asked
            .next()
            .unwrap_or_else(|| panic!("{name}: too few requests"));
        let url = expected["url"].as_str().unwrap();
        assert_eq!(
            asked.target,
            url.replace(HOST, "").replace(CDN, ""),
            "{name}"
        );
        let authorization = asked
            .authorization()
            .map(|header| header.replace(&access_token("a"), "<JWT>"));
        assert_eq!(json!(authorization), expected["authorization"], "{name}");
        assert!(asked.headers.contains_key("user-agent"), "{name}");
    }
    assert_eq!(asked.count(), 0, "{name}: too many requests");
}

#[test]
fn different_files_have_different_paths() {
    // The original names one uploaded file after whichever of its two addresses worked.
    let same_upload = ["ab6b8215", "859a474e"];
    let mut recorded_of = HashMap::new();
    for case in vectors()["cases"].as_array().unwrap() {
        let (name, host) = (
            case["name"].as_str().unwrap(),
            case["hostname"].as_str().unwrap(),
        );
        let Some(recorded) = case["returned"].as_str() else {
            continue;
        };
        let client = Client::new(ClientOptions::new(host).with_token(TOKEN)).unwrap();
        let fetcher = Fetcher::new(Some(client), |options| MediaOptions {
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
    let fetcher = Fetcher::new(None, |options| with_root(options, root.path()));
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
    let server = StandIn::start(|_| Reply::ok("served"));
    let client = server.client(TOKEN);
    let with_root = Fetcher::new(Some(client.clone()), |options| {
        with_root(options, root.path())
    });
    let without_root = Fetcher::new(Some(client), |options| options);
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
    assert!(server.asked().is_empty());
}

#[test]
fn local_files_that_are_not_here_are_asked_of_label_studio() {
    let root = document_root();
    for document_root in [None, Some(PathBuf::from("/")), Some(root.path().to_owned())] {
        let server = StandIn::start(|_| Reply::ok("served"));
        let fetcher = Fetcher::new(Some(server.client(TOKEN)), |options| MediaOptions {
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
    let fetcher = Fetcher::new(None, |options| MediaOptions {
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
    let server = StandIn::start(|asked| match asked.path() {
        "/storage-data/uploaded/" => Reply::new(400, &[], r#"{"detail": "not supported"}"#),
        _ => Reply::status(404),
    });
    let fetcher = Fetcher::new(Some(server.client(TOKEN)), |options| options);
    let message = fetcher.get("/data/upload/3/a.png").unwrap_err().to_string();
    assert!(
        message.contains("answered 400; {\"detail\": \"not supported\"}"),
        "{message}"
    );
    assert_eq!(server.asked().len(), 2);
}

#[test]
fn label_studio_below_a_path_is_asked_below_it() {
    let server = StandIn::start(|asked| match asked.path() {
        "/ls/data/upload/3/a.png" => Reply::ok("content"),
        _ => Reply::status(400),
    });
    let options = options(&format!("{}/ls/", server.url())).with_token(TOKEN);
    let fetcher = Fetcher::new(Some(Client::new(options).unwrap()), |options| options);
    let first = fetcher.get("/ls/data/upload/3/a.png").unwrap();
    assert_eq!(fetcher.get("/data/upload/3/a.png").unwrap(), first);
    let expected = "/ls/storage-data/uploaded/?filepath=upload/3/a.png";
    assert_eq!(server.targets(), [expected, "/ls/data/upload/3/a.png"]);
}

#[test]
fn values_that_cannot_be_fetched_say_why() {
    let unconfigured = Fetcher::new(None, |options| options);
    let server = StandIn::start(|_| Reply::status(500));
    let configured = Fetcher::new(Some(server.client(TOKEN)), |options| options);
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
fn the_token_does_not_follow_a_redirect_to_another_host() {
    let storage = StandIn::start(|_| Reply::ok("object"));
    let target = format!("{}/object?signature=secret", storage.url());
    let server = StandIn::start(move |asked| match asked.path() {
        "/tasks/7/presign/" => Reply::redirect(&target),
        _ => Reply::status(404),
    });
    let fetcher = Fetcher::new(Some(server.client(TOKEN)), allow_private);
    let path = fetcher.get("s3://bucket/a.png").unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "object");
    assert_eq!(server.asked()[0].authorization(), Some("Token legacy123"));
    assert_eq!(storage.asked()[0].authorization(), None);
}

#[test]
fn the_token_does_not_come_back_with_a_redirect_to_label_studio() {
    let server = StandIn::start(|_| Reply::ok("private"));
    let target = format!("{}/data/upload/1/a.png", server.url());
    let other = StandIn::start(move |_| Reply::redirect(&target));
    let fetcher = Fetcher::new(Some(server.client(TOKEN)), allow_private);
    fetcher.get(&format!("{}/a.png", other.url())).unwrap();
    assert_eq!(server.asked()[0].authorization(), None);
}

#[test]
fn the_token_does_not_open_the_api_to_task_data() {
    let server = StandIn::start(|_| Reply::ok("content"));
    let fetcher = Fetcher::new(Some(server.client(TOKEN)), |options| options);
    for (path, expect) in [
        ("/some/pic.jpg", Some("Token legacy123")),
        ("/data/api/pic.jpg", Some("Token legacy123")),
        ("/api/current-user/token", None),
        ("/API/users", None),
        ("//api/users", None),
        ("/%61pi/users", None),
        ("/data/../api/users", None),
        ("/data/..%2fapi/users", None),
    ] {
        fetcher.get(&format!("{}{path}", server.url())).unwrap();
        let asked = server.asked();
        assert_eq!(asked.last().unwrap().authorization(), expect, "{path}");
    }
}

#[test]
fn a_personal_access_token_is_exchanged_and_replaced_when_refused() {
    let n_exchanges = AtomicUsize::new(0);
    let server = StandIn::start(move |asked| match asked.path() {
        "/api/token/refresh/" => {
            let n = n_exchanges.fetch_add(1, Ordering::SeqCst);
            Reply::json(&json!({ "access": format!("access-{n}") }))
        }
        _ if asked.authorization() == Some("Bearer access-1") => Reply::ok("content"),
        _ => Reply::status(401),
    });
    let client = server.client(&personal_access_token());
    let fetcher = Fetcher::new(Some(client), |options| options);
    fetcher.get("/data/local-files/?d=a.png").unwrap();
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn a_login_page_is_not_taken_for_the_file() {
    let server = StandIn::start(|asked| match asked.path() {
        "/user/login/" => Reply::ok("<html>"),
        _ => Reply::redirect("/user/login/?next=/data/upload/3/a.png"),
    });
    let fetcher = Fetcher::new(Some(server.client(TOKEN)), |options| options);
    let error = fetcher.get("/data/local-files/?d=a.png").unwrap_err();
    assert!(matches!(error, MediaError::LoginRequired { .. }), "{error}");
    assert!(fetcher.cached().is_empty());
}

#[test]
fn private_addresses_are_refused() {
    let server = StandIn::start(|_| Reply::redirect("http://169.254.169.254/latest/meta-data/"));
    let other = StandIn::start(|_| Reply::ok("intranet"));
    let fetcher = Fetcher::new(Some(server.client(TOKEN)), |options| options);
    let port = other.port();
    for url in [
        format!("{}/redirect", server.url()),
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
    assert!(other.asked().is_empty());
}

#[test]
fn redirects_are_checked() {
    let server = StandIn::start(|asked| match asked.path() {
        "/file" => Reply::redirect("file:///etc/passwd"),
        "/loop" => Reply::redirect("/loop"),
        "/relative/a" => Reply::redirect("b"),
        "/relative/b" => Reply::ok("content"),
        _ => Reply::new(302, &[], ""),
    });
    let fetcher = Fetcher::new(None, allow_private);
    let get = |path: &str| fetcher.get(&format!("{}{path}", server.url()));
    assert!(matches!(get("/file"), Err(MediaError::BadRedirect { .. })));
    assert!(matches!(
        get("/nowhere"),
        Err(MediaError::Status { status: 302, .. })
    ));
    assert_eq!(
        fs::read_to_string(get("/relative/a").unwrap()).unwrap(),
        "content"
    );
    let n_before = server.asked().len();
    assert!(matches!(
        get("/loop"),
        Err(MediaError::TooManyRedirects { .. })
    ));
    assert_eq!(server.asked().len() - n_before, 11);
}

#[test]
fn credentials_in_an_address_become_a_header() {
    let server = StandIn::start(|_| Reply::ok("content"));
    let fetcher = Fetcher::new(None, allow_private);
    let url = server.url().replace("http://", "http://me:p%40ss@");
    fetcher.get(&format!("{url}/a.png")).unwrap();
    let asked = &server.asked()[0];
    assert_eq!(asked.authorization(), Some("Basic bWU6cEBzcw=="));
    assert_eq!(
        asked.headers["host"],
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
        let server = StandIn::start(move |_| Reply::Raw(bytes.clone()));
        let fetcher = Fetcher::new(None, allow_private);
        let error = fetcher.get(&server.url()).unwrap_err();
        assert!(
            matches!(error, MediaError::Truncated { .. }),
            "{name}: {error:?}"
        );
        assert_eq!(server.asked().len(), 3, "{name}: it is tried again");
        assert!(fetcher.cached().is_empty(), "{name}");
    }
}

#[test]
fn a_download_that_breaks_once_starts_again() {
    let n_asked = AtomicUsize::new(0);
    let server = StandIn::start(move |_| match n_asked.fetch_add(1, Ordering::SeqCst) {
        0 => {
            Reply::Raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf of something".to_vec())
        }
        _ => Reply::ok("whole"),
    });
    let fetcher = Fetcher::new(None, allow_private);
    let path = fetcher.get(&server.url()).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap(), "whole");
}

#[test]
fn a_download_that_hangs_is_given_up() {
    let part = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n".to_vec();
    let server = StandIn::start(|_| Reply::Hang);
    let slow_body = StandIn::start(move |_| Reply::HangAfter(part.clone()));
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
            let fetcher = Fetcher::new(None, |options| change(allow_private(options)));
            let error = fetcher.get(&server.url()).unwrap_err();
            assert!(matches!(error, MediaError::Timeout { .. }), "{error:?}");
            assert!(fetcher.cached().is_empty());
        }
    }
}

#[test]
fn a_file_over_the_limit_is_refused() {
    let server = StandIn::start(|asked| match asked.path() {
        "/announced" => Reply::ok("12345"),
        "/chunked" => Reply::Raw(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"
                .to_vec(),
        ),
        _ => Reply::Raw(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n12345".to_vec()),
    });
    for path in ["/announced", "/chunked", "/endless"] {
        for (max_bytes, is_fine) in [(5, true), (4, false)] {
            let fetcher = Fetcher::new(None, |options| MediaOptions {
                max_bytes,
                ..allow_private(options)
            });
            let got = fetcher.get(&format!("{}{path}", server.url()));
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
    let server = StandIn::start(|_| Reply::new(403, &[], "<Error>expired</Error>"));
    let fetcher = Fetcher::new(None, allow_private);
    let url = server.url().replace("http://", "http://me:pass@");
    let error = fetcher
        .get(&format!("{url}/a.png?X-Amz-Signature=secret"))
        .unwrap_err();
    let expected = format!("{}/a.png answered 403; an HTML page", server.url());
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
    let fetcher = Fetcher::new(None, allow_private);
    let error = fetcher
        .get(&format!("http://127.0.0.1:{port}/a.png"))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot download http://127.0.0.1:{port}/a.png")
    );
}

#[test]
fn a_file_is_downloaded_once_for_all_threads() {
    let server = StandIn::start(|_| Reply::ok("content"));
    let fetcher = Fetcher::new(None, allow_private);
    let (url, barrier) = (server.url(), Barrier::new(8));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                fetcher.get(&url).unwrap();
            });
        }
    });
    fetcher.get(&url).unwrap();
    assert_eq!(server.asked().len(), 1);
    assert_eq!(fetcher.cached().len(), 1);
}

#[test]
fn content_in_the_address_becomes_a_file() {
    let fetcher = Fetcher::new(None, |options| options);
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
fn names_of_files_are_made_safe() {
    let fetcher = Fetcher::new(None, |options| options);
    for (url, expect) in [
        ("https://x.y/a%2F..%2Fb.png", "a%2F..%2Fb.png".to_owned()),
        ("https://x.y/a:b*c.png", "a_b_c.png".to_owned()),
        ("https://x.y/a\\b.png", "b.png".to_owned()),
        (
            &format!("https://x.y/{}.png", "n".repeat(300)),
            format!("{}.png", "n".repeat(96)),
        ),
    ] {
        let path = fetcher.media.cache_path(url, None).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        assert_eq!(&name[34..], expect, "{url}");
        assert!(path.starts_with(fetcher.dir.path()), "{url}");
    }
}

#[test]
fn the_cache_stays_below_its_limit() {
    let server = StandIn::start(|_| Reply::ok("1234567890"));
    let fetcher = Fetcher::new(None, |options| MediaOptions {
        max_cache_bytes: Some(25),
        ..allow_private(options)
    });
    let get = |name: &str| fetcher.get(&format!("{}/{name}", server.url())).unwrap();
    let (old, newer) = (get("old"), get("newer"));
    let foreign = fetcher.dir.path().join("cache/notes.txt");
    fs::write(&foreign, "not a download").unwrap();
    for (path, hours) in [(&foreign, 9), (&old, 3), (&newer, 2)] {
        let time = SystemTime::now() - Duration::from_secs(hours * 3600);
        fs::File::options()
            .write(true)
            .open(path)
            .unwrap()
            .set_modified(time)
            .unwrap();
    }
    let newest = get("newest");
    let left = [&old, &newer, &newest, &foreign].map(|path| path.exists());
    assert_eq!(
        left,
        [false, true, true, true],
        "what was used last and what is not ours stays"
    );
    let more = get("more");
    assert_eq!(
        [&newer, &newest, &more].map(|path| path.exists()),
        [false, true, true]
    );
    get("recent");
    assert!(
        newest.exists(),
        "what may be in use stays even above the limit"
    );
}

#[test]
fn a_file_used_again_is_not_the_oldest() {
    let server = StandIn::start(|_| Reply::ok("content"));
    let fetcher = Fetcher::new(None, allow_private);
    let path = fetcher.get(&server.url()).unwrap();
    let time = SystemTime::now() - Duration::from_secs(3600);
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(time)
        .unwrap();
    fetcher.get(&server.url()).unwrap();
    let used_at = fs::metadata(&path).unwrap().modified().unwrap();
    assert!(used_at.elapsed().unwrap() < Duration::from_secs(60));
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

fn allow_private(options: MediaOptions) -> MediaOptions {
    MediaOptions {
        allow_private_addresses: true,
        ..options
    }
}
