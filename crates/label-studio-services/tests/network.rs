//! Which certificates a service is trusted with, and through which proxy it is reached.

use std::{error::Error, fs, path::Path};

use clap::Parser as _;
use label_studio_sdk::http::{NetworkOptions, ProxyAddress};
use label_studio_services::{
    Deadline, ServiceArgs, ServiceClient, ServiceError, ServiceOptions, ServiceRequest,
};
use label_studio_testing::{Answer, MockService, MockTunnelProxy, tls::Certificate};
use serde_json::{Value, json};

#[derive(clap::Parser)]
struct Flags {
    #[command(flatten)]
    service: ServiceArgs,
}

/// Returns the options of these flags, without retries.
fn options(flags: &[&str], network: NetworkOptions) -> ServiceOptions {
    let words = ["backend", "--service-retries", "0"];
    let flags = Flags::parse_from(words.iter().chain(flags));
    flags.service.options(network)
}

fn ask(url: &str, options: ServiceOptions) -> Result<Value, ServiceError> {
    let request = ServiceRequest::post(url)?.json(&json!({ "a": 1 }));
    ServiceClient::new(options)?.json(&request, Deadline::predict())
}

/// The message with those of its sources.
fn chain(error: &dyn Error) -> String {
    let source = error.source().map(chain);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

fn bundle(folder: &Path, name: &str, certificate: &Certificate) -> String {
    let path = folder.join(name);
    fs::write(&path, certificate.trusted_pem()).unwrap();
    path.to_str().unwrap().to_owned()
}

fn trusting(bundle: &str) -> NetworkOptions {
    NetworkOptions {
        ca_bundle: Some(bundle.into()),
        ..NetworkOptions::default()
    }
}

fn through(proxy: &str) -> NetworkOptions {
    NetworkOptions {
        http_proxy: Some(ProxyAddress::from(proxy)),
        https_proxy: Some(ProxyAddress::from(proxy)),
        no_proxy: "service.example".to_owned(),
        ..NetworkOptions::default()
    }
}

#[test]
fn the_bundle_of_all_connections_counts_and_that_of_the_service_replaces_it() {
    let certificate = Certificate::issued();
    let service = MockService::start_tls(&certificate, |_| Answer::json(&json!({ "ok": true })));
    let folder = tempfile::tempdir().unwrap();
    let good = bundle(folder.path(), "good.pem", &certificate);
    let other = bundle(folder.path(), "other.pem", &Certificate::issued());
    let ask = |flags: &[&str], network| ask(&service.url("/"), options(flags, network));

    let of_service: &[&str] = &["--service-ca-bundle", &good];
    ask(&[], trusting(&good)).unwrap();
    ask(of_service, NetworkOptions::default()).unwrap();
    ask(of_service, trusting(&other)).unwrap();
    for (flags, network, fix) in [
        (
            &[] as &[&str],
            NetworkOptions::default(),
            "set REQUESTS_CA_BUNDLE to a PEM file".to_owned(),
        ),
        (
            &[],
            trusting(&other),
            format!("to {other} (REQUESTS_CA_BUNDLE)"),
        ),
        (
            &["--service-ca-bundle", &other],
            trusting(&good),
            format!("to {other} (SERVICE_CA_BUNDLE)"),
        ),
    ] {
        let message = chain(&ask(flags, network).unwrap_err());
        assert!(message.contains(&fix), "{message} lacks {fix}");
        assert!(!message.contains("other: "), "{message}");
    }
}

#[test]
fn the_service_s_proxy_replaces_that_of_all_connections() {
    let answer = |_: &label_studio_testing::Received| Answer::json(&json!({ "ok": true }));
    let proxy = MockService::start(answer);
    let url = "http://service.example/v1";
    let asked = |n_requests: usize, flags: &[&str], network| {
        ask(url, options(flags, network)).unwrap();
        let received = proxy.received();
        assert_eq!(received.len(), n_requests);
        assert_eq!(received[n_requests - 1].target, url);
    };
    let mut all = through(&proxy.url(""));
    all.no_proxy.clear();
    asked(1, &[], all);
    let flags = ["--service-proxy", &proxy.url("")];
    asked(2, &flags, NetworkOptions::default());
    // Neither the other proxy nor its exceptions count.
    asked(3, &flags, through("http://127.0.0.1:1"));
}

#[test]
fn an_https_service_is_reached_through_a_tunnel() {
    let certificate = Certificate::self_signed_authority_for("service.example");
    let service = MockService::start_tls(&certificate, |_| Answer::json(&json!({ "ok": true })));
    let tunnel = MockTunnelProxy::start("200 OK", &format!("127.0.0.1:{}", service.port()));
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), "ca.pem", &certificate);
    let flags = [
        "--service-proxy",
        tunnel.address(),
        "--service-ca-bundle",
        &bundle,
    ];
    ask(
        "https://service.example/v1",
        options(&flags, NetworkOptions::default()),
    )
    .unwrap();
    assert_eq!(service.received().len(), 1);
}

#[test]
fn a_setting_that_cannot_be_used_is_named() {
    for (flags, network, expected) in [
        (
            &["--service-ca-bundle", "no-such.pem"] as &[&str],
            NetworkOptions::default(),
            "cannot read certificates from no-such.pem; check SERVICE_CA_BUNDLE",
        ),
        (
            &[],
            trusting("no-such.pem"),
            "cannot read certificates from no-such.pem; check REQUESTS_CA_BUNDLE",
        ),
        (
            &["--service-proxy", "http://"],
            NetworkOptions::default(),
            "SERVICE_PROXY is not the address of a proxy",
        ),
        (
            &["--service-proxy", "http://127.0.0.1:1"],
            NetworkOptions::default(),
            "the proxy 127.0.0.1:1 of SERVICE_PROXY failed; change SERVICE_PROXY",
        ),
    ] {
        let error = ask("http://service.example/", options(flags, network)).unwrap_err();
        let message = chain(&error);
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    }
}
