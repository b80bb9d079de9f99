//! What `label-studio-ml create` writes builds, passes its own tests and starts.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A new backend in a folder that stays, so that a second run builds little.
fn new_backend(checkout: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("template");
    let mut create = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    create
        .args(["create", "my_backend", "--force", "--root-dir"])
        .arg(&root);
    let output = create.arg("--sdk-path").arg(checkout).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    root.join("my_backend")
}

/// Makes `command` use the profile and the target folder of this workspace, so that its crates are built once.
fn share_build(command: &mut Command, target: &Path) {
    command
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
}

fn check(mut command: Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn a_new_backend_passes_its_tests_and_starts() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let backend = new_backend(checkout);

    let mut test = Command::new(env!("CARGO"));
    test.arg("test").current_dir(&backend);
    share_build(&mut test, target);
    check(test);

    let mut help = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    help.args(["start", "--dev"]).arg(&backend).arg("--help");
    share_build(&mut help, target);
    let help = String::from_utf8(help.output().unwrap().stdout).unwrap();
    let (own, of_every_backend) = help.split_once("\nServer:\n").unwrap();
    assert!(own.contains("--score") && of_every_backend.contains("--port"));

    let mut start = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    start
        .args(["start", "--dev"])
        .arg(&backend)
        .args([
            "--check",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--model-dir",
        ])
        .arg(&backend)
        .stdout(Stdio::piped());
    share_build(&mut start, target);
    let mut started = start.spawn().unwrap();
    let log = BufReader::new(started.stdout.take().unwrap());
    let is_up = log
        .lines()
        .any(|line| line.unwrap().contains("listening on http://"));
    started.kill().unwrap();
    started.wait().unwrap();
    assert!(is_up, "it ended before it listened");
}
