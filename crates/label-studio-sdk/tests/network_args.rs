//! The flags for all connections of a process.
#![cfg(feature = "args")]

use clap::Parser;
use label_studio_sdk::http::{NetworkArgs, NetworkOptions};

/// A program
#[derive(Parser)]
struct Program {
    #[command(flatten)]
    network: NetworkArgs,
}

fn options(flags: &str) -> NetworkOptions {
    let words = ["program"].into_iter().chain(flags.split(' '));
    let words = words.filter(|word| !word.is_empty());
    Program::parse_from(words).network.options()
}

#[test]
fn the_certificates_come_from_the_first_variable_that_is_set() {
    for (flags, expected) in [
        (
            "--ca-bundle=a --curl-ca-bundle=b --ssl-cert-file=c",
            "Some(\"a\")",
        ),
        (
            "--ca-bundle= --curl-ca-bundle=b --ssl-cert-file=c",
            "Some(\"b\")",
        ),
        (
            "--ca-bundle= --curl-ca-bundle= --ssl-cert-file=c",
            "Some(\"c\")",
        ),
        ("--ca-bundle= --curl-ca-bundle= --ssl-cert-file=", "None"),
    ] {
        let found = format!("{:?}", options(flags).ca_bundle);
        assert_eq!(found, expected, "{flags}");
    }
}

#[test]
fn lower_case_variables_come_before_those_in_capitals() {
    let found = options(
        "--http-proxy=http://u:secret@lower:1 --upper-case-http-proxy=http://upper:1 \
         --https-proxy= --upper-case-https-proxy=http://upper:1 \
         --upper-case-all-proxy=http://upper:2 \
         --upper-case-no-proxy=a,b",
    );
    assert_eq!(format!("{:?}", found.http_proxy), "Some(\"lower:1\")");
    assert_eq!(
        format!("{:?}", found.https_proxy),
        "Some(\"\")",
        "nothing is a value"
    );
    assert_eq!(format!("{:?}", found.all_proxy), "Some(\"http://upper:2\")");
    assert_eq!(found.no_proxy, "a,b");
}

#[test]
fn help_names_the_variables() {
    let help = <Program as clap::CommandFactory>::command()
        .render_long_help()
        .to_string();
    for name in [
        "REQUESTS_CA_BUNDLE",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
    ] {
        assert!(help.contains(&format!("[env: {name}")), "{name}: {help}");
    }
    assert!(!help.contains("upper-case"), "{help}");
}
