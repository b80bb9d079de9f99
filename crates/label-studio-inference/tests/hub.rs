//! Weights from a mock hub: fetched once, taken up again, checked, refused with a reason.

use std::{fs, path::Path, thread, time::Duration};

use clap::Parser;
use label_studio_inference::hub::{Hub, HubArgs, HubError, HubOptions, Weights};
use label_studio_sdk::http::NetworkOptions;
use label_studio_testing::{
    Answer, MockService,
    hub::{Behaviour, COMMIT, MockHub, hex},
    tls::Certificate,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const FILE: &str = "hf://acme/tiny/onnx/model.onnx";
const ADDRESS: &str = "/acme/tiny/resolve/main/onnx/model.onnx";

fn content() -> Vec<u8> {
    (0..100_000_u32).map(|idx| (idx % 251) as u8).collect()
}

fn pinned(content: &[u8]) -> String {
    format!("{FILE}#sha256={}", hex(&Sha256::digest(content)))
}

/// A hub with the file, as a small one or as a large one.
fn behaviour(large: usize) -> Behaviour {
    Behaviour {
        files: [(ADDRESS.to_owned(), content())].into(),
        large,
        ..Behaviour::default()
    }
}

fn options(hub: &MockHub, cache: &TempDir) -> HubOptions {
    HubOptions {
        endpoint: hub.url(),
        cache_dir: cache.path().join("hub"),
        retry_delay: Duration::from_millis(1),
        read_timeout: Duration::from_secs(5),
        ..HubOptions::default()
    }
}

fn path(options: HubOptions, weights: &str) -> Result<std::path::PathBuf, HubError> {
    Hub::new(options)?.path(&weights.parse()?)
}

fn blobs(cache: &TempDir) -> Vec<String> {
    let blobs = cache.path().join("hub/models--acme--tiny/blobs");
    let entries = fs::read_dir(blobs).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| !has_ending(name, "lock")).collect()
}

fn has_ending(name: &str, ending: &str) -> bool {
    Path::new(name).extension().is_some_and(|own| own == ending)
}

#[test]
fn a_file_is_fetched_once_into_the_layout_that_python_knows() {
    for large in [0, usize::MAX] {
        let (hub, cache) = (MockHub::start(behaviour(large)), TempDir::new().unwrap());
        let found = path(options(&hub, &cache), FILE).unwrap();
        let root = cache.path().join("hub/models--acme--tiny");
        let snapshot = root.join("snapshots").join(COMMIT).join("onnx/model.onnx");
        assert_eq!(found, snapshot);
        assert_eq!(fs::read(&found).unwrap(), content());
        assert_eq!(fs::read_to_string(root.join("refs/main")).unwrap(), COMMIT);
        let digest = hex(&Sha256::digest(content()));
        let etag = if large == 0 { &digest } else { &digest[..40] };
        assert_eq!(blobs(&cache), [etag]);
        let target = fs::read_link(&found).unwrap();
        assert_eq!(target, Path::new("../../../blobs").join(etag));

        let n_asked = hub.received().len();
        assert_eq!(path(options(&hub, &cache), FILE).unwrap(), found);
        assert_eq!(
            hub.received().len(),
            n_asked,
            "the second time comes from the cache"
        );
    }
}

#[test]
fn a_branch_with_a_slash_and_a_commit_are_found_in_the_cache() {
    let mut behaviour = behaviour(0);
    behaviour.files = ["refs%2Fpr%2F1", COMMIT]
        .map(|revision| (ADDRESS.replace("main", revision), content()))
        .into();
    for revision in ["refs%2Fpr%2F1", COMMIT] {
        let (hub, cache) = (MockHub::start(behaviour.clone()), TempDir::new().unwrap());
        let name = format!("hf://acme/tiny@{revision}/onnx/model.onnx");
        let found = path(options(&hub, &cache), &name).unwrap();
        let offline = HubOptions {
            is_offline: true,
            ..options(&hub, &cache)
        };
        assert_eq!(path(offline, &name).unwrap(), found);
    }
}

#[test]
fn a_broken_transfer_goes_on_where_it_stopped() {
    let mut behaviour = behaviour(0);
    // The second attempt asks for the whole file first, to learn its name.
    behaviour.breaks = vec![30_000, usize::MAX, 20_000];
    let (hub, cache) = (MockHub::start(behaviour), TempDir::new().unwrap());
    let found = path(options(&hub, &cache), &pinned(&content())).unwrap();
    assert_eq!(fs::read(found).unwrap(), content());
    let at_storage = hub.received().into_iter().filter(|asked| asked.at_storage);
    let ranges: Vec<_> = at_storage.map(|asked| asked.range.unwrap()).collect();
    assert!(ranges.contains(&"bytes=30000-".to_owned()), "{ranges:?}");
    assert_eq!(ranges.last().unwrap(), "bytes=50000-", "{ranges:?}");
    assert_eq!(blobs(&cache).len(), 1, "nothing partial is left");
}

#[test]
fn a_later_process_takes_up_what_an_earlier_one_left() {
    let mut broken = behaviour(0);
    broken.breaks = vec![30_000];
    let (hub, cache) = (MockHub::start(broken), TempDir::new().unwrap());
    let once = HubOptions {
        retries: 0,
        ..options(&hub, &cache)
    };
    let error = path(once, FILE).unwrap_err();
    assert!(matches!(error, HubError::Unreachable { .. }), "{error}");
    assert!(
        has_ending(&blobs(&cache)[0], "part"),
        "what arrived is kept"
    );
    assert_eq!(
        fs::read(path(options(&hub, &cache), FILE).unwrap()).unwrap(),
        content()
    );
    let last = hub.received().pop().unwrap();
    assert_eq!(last.range.as_deref(), Some("bytes=30000-"));
}

#[test]
fn a_server_without_ranges_sends_all_again() {
    let mut behaviour = behaviour(0);
    behaviour.breaks = vec![30_000];
    behaviour.ignores_ranges = true;
    let (hub, cache) = (MockHub::start(behaviour), TempDir::new().unwrap());
    let found = path(options(&hub, &cache), &pinned(&content())).unwrap();
    assert_eq!(fs::read(found).unwrap(), content());
}

#[test]
fn a_hub_that_is_busy_is_asked_again() {
    let mut behaviour = behaviour(0);
    behaviour.statuses = vec![503, 429, 500];
    let (hub, cache) = (MockHub::start(behaviour), TempDir::new().unwrap());
    path(options(&hub, &cache), FILE).unwrap();
}

#[test]
fn the_token_goes_to_the_hub_and_not_to_where_it_redirects() {
    let mut behaviour = behaviour(0);
    behaviour.token = Some("hf_secret".to_owned());
    let (hub, cache) = (MockHub::start(behaviour), TempDir::new().unwrap());
    let with_token = HubOptions {
        token: Some(" hf_secret\n".to_owned()),
        ..options(&hub, &cache)
    };
    path(with_token, FILE).unwrap();
    for asked in hub.received() {
        let expected = (!asked.at_storage).then_some("Bearer hf_secret");
        assert_eq!(asked.authorization.as_deref(), expected);
    }

    // The one that `huggingface-cli login` left beside the cache will do as well.
    let cache = TempDir::new().unwrap();
    fs::write(cache.path().join("token"), "hf_secret\n").unwrap();
    path(options(&hub, &cache), FILE).unwrap();
}

#[test]
fn concurrent_callers_share_one_transfer() {
    let (hub, cache) = (MockHub::start(behaviour(0)), TempDir::new().unwrap());
    thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| path(options(&hub, &cache), FILE).unwrap()))
            .collect();
        for caller in callers {
            assert_eq!(fs::read(caller.join().unwrap()).unwrap(), content());
        }
    });
    assert_eq!(blobs(&cache).len(), 1);
}

#[test]
fn a_refusal_names_the_file_the_hub_and_the_fix() {
    type Case<'a> = (fn(&mut Behaviour), Option<&'a str>, &'a [&'a str]);
    let gated = |behaviour: &mut Behaviour| behaviour.token = Some("another".to_owned());
    let plain = |behaviour: &mut Behaviour| {
        behaviour.is_plain = true;
        behaviour.large = usize::MAX;
    };
    let gone = |behaviour: &mut Behaviour| behaviour.files.clear();
    let down = |behaviour: &mut Behaviour| behaviour.statuses = vec![500; 9];
    let cases: [Case; 5] = [
        (
            gated,
            None,
            &["without a token", "licence", "/acme/tiny", "HF_TOKEN"],
        ),
        (
            gated,
            Some("wrong"),
            &["the account of HF_TOKEN", "licence"],
        ),
        (
            gone,
            None,
            &[
                "has no hf://acme/tiny@main/onnx/model.onnx",
                "check the names",
            ],
        ),
        (
            plain,
            None,
            &["does not answer like a model hub", "HF_ENDPOINT"],
        ),
        (down, None, &["status 500", "try again later"]),
    ];
    for (change, token, texts) in cases {
        let (hub, cache) = (MockHub::start(behaviour(0)), TempDir::new().unwrap());
        hub.change(change);
        let options = HubOptions {
            token: token.map(str::to_owned),
            ..options(&hub, &cache)
        };
        let message = path(options, FILE).unwrap_err().to_string();
        let names = ["hf://acme/tiny@main/onnx/model.onnx", &hub.url()];
        for text in names.iter().chain(texts) {
            assert!(message.contains(text), "{text:?} in {message:?}");
        }
        assert_eq!(blobs(&cache), [""; 0], "nothing is kept");
    }
}

#[test]
fn offline_takes_what_is_there_and_says_what_is_not() {
    let (hub, cache) = (MockHub::start(behaviour(0)), TempDir::new().unwrap());
    let offline = || HubOptions {
        is_offline: true,
        ..options(&hub, &cache)
    };
    let message = path(offline(), FILE).unwrap_err().to_string();
    assert!(
        message.contains("HF_HUB_OFFLINE is set: unset it"),
        "{message}"
    );
    assert!(hub.received().is_empty());
    let found = path(options(&hub, &cache), FILE).unwrap();
    drop(hub);
    let gone = MockHub::start(Behaviour::default());
    let offline = HubOptions {
        is_offline: true,
        ..options(&gone, &cache)
    };
    assert_eq!(path(offline, FILE).unwrap(), found);
}

#[test]
fn a_hub_that_is_down_is_an_error_unless_the_cache_has_the_file() {
    let (hub, cache) = (MockHub::start(behaviour(0)), TempDir::new().unwrap());
    let other = "hf://acme/tiny/other.onnx";
    path(options(&hub, &cache), FILE).unwrap();
    let dead = options(&hub, &cache);
    drop(hub);
    path(dead.clone(), FILE).unwrap();
    let error = path(dead.clone(), other).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains(&dead.endpoint) && message.contains("does not answer"),
        "{message}"
    );
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_file_of_another_digest_is_refused() {
    // Said by the hub: nothing is fetched.
    let (hub, cache) = (MockHub::start(behaviour(0)), TempDir::new().unwrap());
    let error = path(options(&hub, &cache), &pinned(b"other")).unwrap_err();
    let actual = hex(&Sha256::digest(content()));
    assert!(error.to_string().contains(&actual), "{error}");
    assert_eq!(blobs(&cache), [""; 0]);

    // Not what the hub promised: found after the transfer, and not kept.
    let mut tampered = content();
    tampered[7] ^= 1;
    hub.change(|behaviour| behaviour.tampered = Some(tampered));
    let error = path(options(&hub, &cache), FILE).unwrap_err();
    assert!(matches!(error, HubError::Digest { .. }), "{error}");
    assert_eq!(blobs(&cache), [""; 0]);

    // In the cache already, damaged since.
    hub.change(|behaviour| behaviour.tampered = None);
    let found = path(options(&hub, &cache), &pinned(&content())).unwrap();
    fs::write(&found, "damaged").unwrap();
    let error = path(options(&hub, &cache), &pinned(&content())).unwrap_err();
    assert!(matches!(error, HubError::Digest { .. }), "{error}");
}

#[test]
fn a_file_above_the_limit_is_refused_before_it_is_fetched() {
    for large in [0, usize::MAX] {
        let (hub, cache) = (MockHub::start(behaviour(large)), TempDir::new().unwrap());
        let options = HubOptions {
            max_bytes: 99_999,
            ..options(&hub, &cache)
        };
        let message = path(options, FILE).unwrap_err().to_string();
        assert!(message.contains("larger than 99999 bytes"), "{message}");
        assert!(message.contains("MAX_WEIGHTS_MB"), "{message}");
        assert_eq!(blobs(&cache), [""; 0]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_named() {
    let (hub, cache) = (MockHub::start(behaviour(0)), TempDir::new().unwrap());
    let blobs = cache.path().join("hub/models--acme--tiny/blobs");
    fs::create_dir_all(&blobs).unwrap();
    let partial = format!("{}.part", hex(&Sha256::digest(content())));
    std::os::unix::fs::symlink("/dev/full", blobs.join(partial)).unwrap();
    let message = path(options(&hub, &cache), FILE).unwrap_err().to_string();
    assert!(message.contains("no space for"), "{message}");
    assert!(message.contains("HF_HOME"), "{message}");
}

#[test]
fn a_local_file_is_taken_as_it_is_and_checked_against_its_pin() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("model.onnx");
    fs::write(&file, content()).unwrap();
    let hub = Hub::new(HubOptions::default()).unwrap();
    let name = file.display().to_string();
    let digest = hex(&Sha256::digest(content()));
    for pin in [String::new(), format!("#sha256={digest}")] {
        let weights: Weights = format!("{name}{pin}").parse().unwrap();
        assert_eq!(hub.path(&weights).unwrap(), file);
        assert_eq!(
            weights.sibling("tokenizer.json").unwrap().to_string(),
            dir.path().join("tokenizer.json").display().to_string()
        );
    }
    let wrong: Weights = format!("{name}#sha256={}", "0".repeat(64)).parse().unwrap();
    assert!(matches!(hub.path(&wrong), Err(HubError::Digest { .. })));
    let missing: Weights = format!("{name}x").parse().unwrap();
    let message = hub.path(&missing).unwrap_err().to_string();
    assert!(
        message.contains("there is no file") && message.contains("hf://"),
        "{message}"
    );
}

#[test]
fn names_that_could_leave_their_place_are_refused() {
    for name in [
        "",
        "hf://acme",
        "hf://acme/tiny",
        "hf://acme/tiny/",
        "hf://acme/tiny/../../etc/passwd",
        "hf://../tiny/model.onnx",
        "hf://acme/tiny@../model.onnx",
        "hf://acme/tiny@..%2F../model.onnx",
        "hf://acme/tiny/a//b",
        "hf://acme/tiny/a\\b",
        "hf://acme/tiny/a?b",
        "hf://acme/tiny/%2e%2e/b",
    ] {
        assert!(name.parse::<Weights>().is_err(), "{name}");
    }
    for pin in ["", "0", "g", &"0".repeat(63), &"ä".repeat(32)] {
        assert!(
            format!("a#sha256={pin}").parse::<Weights>().is_err(),
            "{pin}"
        );
    }
    let weights: Weights = "hf://acme/tiny@v1/onnx/model.onnx".parse().unwrap();
    let sibling = weights.sibling("tokenizer.json").unwrap();
    assert_eq!(sibling.to_string(), "hf://acme/tiny@v1/tokenizer.json");
    assert!(
        Hub::new(HubOptions {
            endpoint: "ftp://hub".to_owned(),
            ..HubOptions::default()
        })
        .is_err()
    );
}

#[test]
fn flags_are_those_of_the_python_library() {
    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        hub: HubArgs,
    }
    let options = |arguments: &[&str]| {
        let arguments = [&["backend"], arguments].concat();
        Program::parse_from(arguments).hub.options()
    };
    let given = options(&[
        "--hf-home",
        "/data",
        "--hf-endpoint",
        "https://mirror/",
        "--hf-hub-offline",
    ]);
    assert_eq!(given.cache_dir, Path::new("/data/hub"));
    assert_eq!(given.endpoint, "https://mirror");
    assert!(given.is_offline);
    let given = options(&[
        "--hf-home",
        "/data",
        "--hf-hub-cache",
        "/cache",
        "--max-weights-mb",
        "3",
    ]);
    assert_eq!(given.cache_dir, Path::new("/cache"));
    assert_eq!(given.max_bytes, 3 << 20);
    let given = options(&["--hf-home", "", "--hf-endpoint", ""]);
    assert!(given.cache_dir.ends_with(".cache/huggingface/hub"));
    assert_eq!(given.endpoint, HubOptions::ENDPOINT);
}

#[test]
fn a_hub_with_a_private_authority_is_trusted_through_the_ca_bundle() {
    for certificate in [Certificate::issued(), Certificate::self_signed_authority()] {
        for large in [0, usize::MAX] {
            let hub = MockHub::start_tls(behaviour(large), &certificate);
            let cache = TempDir::new().unwrap();
            let bundle = cache.path().join("ca.pem");
            fs::write(&bundle, certificate.trusted_pem()).unwrap();
            let untrusting = HubOptions {
                retries: 0,
                ..options(&hub, &cache)
            };
            let error = path(untrusting.clone(), FILE).unwrap_err();
            let error = format!("{:#}", anyhow::Error::from(error));
            assert!(error.contains("REQUESTS_CA_BUNDLE"), "{error}");
            assert!(hub.received().is_empty());
            let trusting = HubOptions {
                network: NetworkOptions {
                    ca_bundle: Some(bundle),
                    ..NetworkOptions::default()
                },
                ..untrusting
            };
            let found = path(trusting, FILE).unwrap();
            assert_eq!(fs::read(found).unwrap(), content());
        }
    }
}

#[test]
fn a_ca_bundle_that_cannot_be_read_is_named() {
    let options = HubOptions {
        network: NetworkOptions {
            ca_bundle: Some("no-such-bundle.pem".into()),
            ..NetworkOptions::default()
        },
        ..HubOptions::default()
    };
    let error = Hub::new(options).unwrap_err().to_string();
    assert!(
        error.contains("no-such-bundle.pem") && error.contains("REQUESTS_CA_BUNDLE"),
        "{error}"
    );
}

#[test]
fn weights_are_fetched_through_the_proxy() {
    let proxy = MockService::start(|_| Answer::new(404, ""));
    let cache = TempDir::new().unwrap();
    let options = HubOptions {
        endpoint: "http://hub.example".to_owned(),
        cache_dir: cache.path().join("hub"),
        retries: 0,
        network: NetworkOptions {
            http_proxy: Some(proxy.url("").parse().unwrap()),
            ..NetworkOptions::default()
        },
        ..HubOptions::default()
    };
    let error = path(options, FILE).unwrap_err();
    assert!(matches!(error, HubError::NotFound { .. }), "{error}");
    assert_eq!(proxy.targets(), [format!("http://hub.example{ADDRESS}")]);
}
