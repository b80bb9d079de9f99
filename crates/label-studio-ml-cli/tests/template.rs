//! What `label-studio-ml create` writes builds, passes its own tests and starts.

use std::{
    path::{Path, PathBuf},
    process::Command,
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

/// Runs `command` with the profile and the target folder of this workspace, so that its crates are built once.
fn check(mut command: Command, target: &Path) {
    command
        .env("CARGO_TARGET_DIR", target)
        .env("CARGO_NET_OFFLINE", "true");
    command.env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
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
    check(test, target);

    let mut start = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    start
        .args(["start", "--dev"])
        .arg(&backend)
        .args(["--check", "--model-dir"])
        .arg(&backend);
    check(start, target);
}
