//! How much memory a large label config takes, through the whole server. The only test of its
//! process, which has one peak.

#![cfg(target_os = "linux")]

use std::{env, fmt::Write as _, fs, process::Command};

use label_studio_ml::{FnModel, json, testing::TestClient};

/// How long mimalloc keeps memory that is free, in ms. What the kernel reports as the peak depends on
/// it, and on how quick the machine is.
const PURGE_DELAY: &str = "MIMALLOC_PURGE_DELAY";
/// Most memory that one label config may take, in MiB.
const MAX_MIB: u64 = 100;

/// Returns the most memory that the process has had so far, in MiB.
fn peak_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = peak
        .unwrap()
        .trim()
        .strip_suffix(" kB")
        .unwrap()
        .parse()
        .unwrap();
    kib >> 10
}

fn label_config(n_labels: usize, attributes: &str) -> String {
    let mut text =
        "<View><Text name=\"t\" value=\"$t\"/><Choices name=\"c\" toName=\"t\">".to_owned();
    for label in 0..n_labels {
        write!(text, "<Choice value=\"{label}\"{attributes}/>").unwrap();
    }
    text + "</Choices></View>"
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test starts itself again with a variable that is read when a program starts"
)]
fn a_label_config_of_five_megabytes_takes_less_than_a_hundred() {
    if env::var_os(PURGE_DELAY).is_none() {
        let name = "a_label_config_of_five_megabytes_takes_less_than_a_hundred";
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(["--exact", name]).env(PURGE_DELAY, "0");
        assert!(again.status().unwrap().success());
        return;
    }
    let many = label_config(200_000, "");
    let long = label_config(80_000, " hint=\"a label\" background=\"#ff0000\"");
    let client = TestClient::new(FnModel::new("Silent"));
    client.post("/setup", &json!({ "project": "1", "schema": "<View/>" }));
    for (project, text) in [("2", many), ("3", long)] {
        assert!(text.len() > 4_400_000, "{}", text.len());
        let body = json!({ "project": project, "schema": text }).to_string();
        // Forgets the peak so far.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = peak_mib();
        let headers = [("content-type", "application/json")];
        let (status, answer) = client.send("POST", "/setup", &headers, body);
        assert_eq!(status, 200, "{answer}");
        let taken = peak_mib() - before;
        assert!(taken < MAX_MIB, "{taken} MiB for {project}");
    }
}
