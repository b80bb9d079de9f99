//! What goes through a proxy, and what that means for addresses that are checked.
#![cfg(feature = "client")]

use std::{fs, net::TcpListener};

use label_studio_sdk::{
    Client, ClientError, ClientOptions, MediaError, MediaOptions,
    http::{HttpAgent, HttpError, HttpOptions, NetworkOptions, ProxyAddress},
};
use label_studio_testing::{
    Answer, MockService, MockTunnelProxy, label_studio::client_options, media::TestFetcher,
    tls::Certificate,
};
use ureq::http::Request;

fn address(text: impl AsRef<str>) -> ProxyAddress {
    text.as_ref().into()
}

fn client(url: &str, network: NetworkOptions) -> Client {
    Client::new(ClientOptions {
        network,
        ..client_options(url).with_token("abc")
    })
    .unwrap()
}

#[test]
fn an_http_address_is_asked_of_the_proxy_in_full() {
    let proxy = MockService::start(|_| Answer::ok(r#"{"release": "1"}"#));
    let with_user = proxy.url("").replace("http://", "http://a%40b:p%3Aw@");
    for (network, credentials) in [
        (
            NetworkOptions {
                http_proxy: Some(address(proxy.url(""))),
                ..NetworkOptions::default()
            },
            None,
        ),
        (
            NetworkOptions {
                all_proxy: Some(address(with_user.trim_start_matches("http://"))),
                http_proxy: Some(address(" ")),
                https_proxy: Some(address("http://127.0.0.1:1")),
                ..NetworkOptions::default()
            },
            Some("Basic YUBiOnA6dw=="),
        ),
    ] {
        let client = client("http://ls.example:8080/sub", network);
        client.version().unwrap();
        client.set_task_data(1, &serde_json::Map::new()).unwrap();
        for asked in proxy.received().iter().rev().take(2) {
            assert!(
                asked.target.starts_with("http://ls.example:8080/sub/api/"),
                "{}",
                asked.target
            );
            assert_eq!(asked.header("host"), Some("ls.example:8080"));
            assert_eq!(asked.header("proxy-authorization"), credentials);
        }
        let patch = proxy.received().pop().unwrap();
        assert_eq!(patch.method, "PATCH");
        assert_eq!(patch.body, br#"{"data":{}}"#);
    }
}

#[test]
fn an_https_address_is_reached_through_a_tunnel() {
    let certificate = Certificate::self_signed_authority_for("ls.example");
    let dir = tempfile::tempdir().unwrap();
    let ca_bundle = dir.path().join("ca.pem");
    fs::write(&ca_bundle, certificate.trusted_pem()).unwrap();
    let server = MockService::start_tls(&certificate, |_| Answer::ok(r#"{"release": "1"}"#));
    let address_of_server = format!("127.0.0.1:{}", server.port());
    let proxy = MockTunnelProxy::start("200 OK", &address_of_server);
    let network = NetworkOptions {
        ca_bundle: Some(ca_bundle),
        https_proxy: Some(address(format!("http://user:secret@{}", proxy.address()))),
        ..NetworkOptions::default()
    };
    assert!(!format!("{network:?}").contains("secret"), "{network:?}");
    let version = client("https://ls.example", network).version().unwrap();
    assert_eq!(version.release, "1");
    let head = proxy.heads().concat();
    assert!(
        head.starts_with("CONNECT ls.example:443 HTTP/1.1\r\n"),
        "{head}"
    );
    assert!(head.contains("Basic dXNlcjpzZWNyZXQ="), "{head}");
    assert!(
        !head.contains("abc"),
        "the token is for Label Studio: {head}"
    );
}

#[test]
fn no_proxy_and_loopback_addresses_go_direct() {
    let server = MockService::start(|_| Answer::ok(r#"{"release": "1"}"#));
    let proxy = MockService::start(|_| Answer::status(500));
    let agent = |no_proxy: &str| {
        HttpAgent::new(&HttpOptions {
            network: NetworkOptions {
                http_proxy: Some(address(proxy.url(""))),
                no_proxy: no_proxy.to_owned(),
                ..NetworkOptions::default()
            },
            ..HttpOptions::default()
        })
        .unwrap()
    };
    let run = |agent: &HttpAgent, host: &str| {
        let url = format!("http://{host}:{}/", server.port());
        let request = Request::get(url).body(()).unwrap();
        agent.run(request, None).unwrap().status().as_u16()
    };
    assert_eq!(run(&agent(""), "127.0.0.1"), 200);
    assert_eq!(run(&agent(""), "localhost"), 200);
    assert!(proxy.received().is_empty());
    assert_eq!(run(&agent(""), "8.8.8.8"), 500, "others use the proxy");
    assert_eq!(proxy.received().len(), 1);
}

#[test]
fn a_proxy_that_fails_is_named_with_its_setting() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let unreachable = closed.local_addr().unwrap().to_string();
    drop(closed);
    let refuses = MockTunnelProxy::start("403 Forbidden", "127.0.0.1:1");
    for (url, proxy) in [
        ("http://ls.example", unreachable.as_str()),
        ("https://ls.example", &unreachable),
        ("https://ls.example", refuses.address()),
    ] {
        let network = NetworkOptions {
            http_proxy: Some(address(proxy)),
            https_proxy: Some(address(proxy)),
            ..NetworkOptions::default()
        };
        let error = client(url, network).version().unwrap_err();
        let setting = if url.starts_with("https") {
            "HTTPS_PROXY"
        } else {
            "HTTP_PROXY"
        };
        let ClientError::Connection { source, .. } = &error else {
            panic!("{error}");
        };
        let expected = format!("the proxy {proxy} of {setting} failed");
        assert!(source.to_string().contains(&expected), "{source}");
        assert!(!error.to_string().contains("LABEL_STUDIO_URL"), "{error}");
    }
}

#[test]
fn a_proxy_that_wants_credentials_says_so() {
    let proxy = MockService::start(|_| Answer::status(407));
    let network = NetworkOptions {
        http_proxy: Some(address(proxy.url(""))),
        ..NetworkOptions::default()
    };
    let error = client("http://ls.example", network).version().unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.to_string().contains("HTTP_PROXY"), "{source}");
}

#[test]
fn what_is_not_the_address_of_a_proxy_is_an_error() {
    for text in ["ftp://proxy", "http://", "http://a b"] {
        let options = HttpOptions {
            network: NetworkOptions {
                https_proxy: Some(address(text)),
                ..NetworkOptions::default()
            },
            ..HttpOptions::default()
        };
        let error = HttpAgent::new(&options).unwrap_err();
        assert!(matches!(error, HttpError::Proxy { .. }), "{error}");
        assert!(error.to_string().contains("HTTPS_PROXY"), "{error}");
    }
}

#[test]
fn private_addresses_are_not_asked_of_the_proxy() {
    let proxy = MockService::start(|_| Answer::ok("media"));
    let network = NetworkOptions {
        http_proxy: Some(address(proxy.url(""))),
        ..NetworkOptions::default()
    };
    let fetcher = TestFetcher::new(None, |options| MediaOptions { network, ..options });
    for url in [
        "http://10.1.2.3/a.png",
        "http://169.254.169.254/latest/meta-data",
        "http://[fd00::1]/a.png",
        "http://0x7f.1/a.png",
    ] {
        let error = fetcher.get(url).unwrap_err();
        assert!(
            matches!(error, MediaError::PrivateAddress { .. }),
            "{url}: {error}"
        );
    }
    assert!(proxy.received().is_empty());
    let path = fetcher.get("http://8.8.8.8/a.png").unwrap();
    assert_eq!(fs::read(path).unwrap(), b"media");
    assert_eq!(proxy.targets(), ["http://8.8.8.8/a.png"]);
}
