//! `label-studio-ml start` with a backend that needs nothing but the standard library.

#![cfg(unix)]

use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

/// Prints its arguments and ends with code 7, or with `wait` stays until a signal comes.
const MAIN: &str = r#"
fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    println!("{args:?} {:?}", std::env::var("CONFIG_FILE").ok());
    if args.first().is_some_and(|arg| arg == "--wait") {
        loop { std::thread::park(); }
    }
    std::process::exit(7);
}
"#;

fn backend(root: &Path) {
    let folder = root.join("echo");
    fs::create_dir_all(folder.join("src")).unwrap();
    let manifest = "[package]\nname = \"echo\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/main.rs"), MAIN).unwrap();
}

fn start(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command.arg("start").args(args).current_dir(root);
    command
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env_remove("CONFIG_FILE");
    command
}

/// Starts with `args` and expects exit code `code`, `out` on the standard output and `text` on the standard error.
fn check(root: &Path, args: &[&str], code: i32, out: &str, text: &str) {
    let output = start(root, args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), out, "{args:?}");
    assert!(said.contains(text), "{args:?}: {said}");
}

#[test]
fn passes_server_options_and_the_exit_code() {
    let root = TempDir::new().unwrap();
    backend(root.path());
    let elsewhere = TempDir::new().unwrap();
    let root_dir = root.path().to_str().unwrap();
    check(root.path(), &["--dev", "echo"], 7, "[] None\n", "");
    let args = ["--dev", "echo", "-p", "9091", "--with", "a=1 2", "--help"];
    check(
        root.path(),
        &args,
        7,
        "[\"-p\", \"9091\", \"--with\", \"a=1 2\", \"--help\"] None\n",
        "",
    );
    let args = ["--dev", "--root-dir", root_dir, "echo", "-d"];
    check(elsewhere.path(), &args, 7, "[\"-d\"] None\n", "");
    let args = ["--dev", "echo", "-d", "--root-dir", root_dir, "--check"];
    check(
        elsewhere.path(),
        &args,
        7,
        "[\"-d\", \"--check\"] None\n",
        "",
    );
    check(
        root.path(),
        &["--dev", "echo", "--root-dir"],
        1,
        "",
        "--root-dir needs a folder",
    );

    // It may belong to a checkpoint, and is read only if it is named.
    fs::write(root.path().join("echo/config.json"), "{}").unwrap();
    check(root.path(), &["--dev", "echo"], 7, "[] None\n", "");
}

#[test]
fn a_signal_reaches_the_backend() {
    let root = TempDir::new().unwrap();
    backend(root.path());
    let mut command = start(root.path(), &["--dev", "echo", "--wait"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.contains("--wait"), "{line}");
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(child.wait().unwrap().signal(), Some(15));
}

#[test]
fn names_the_reason_when_a_folder_cannot_be_started() {
    let root = TempDir::new().unwrap();
    for folder in ["python", "empty", "broken/src"] {
        fs::create_dir_all(root.path().join(folder)).unwrap();
    }
    fs::write(root.path().join("python/_wsgi.py"), "").unwrap();
    let manifest = "[package]\nname = \"broken\"\n[workspace]\n";
    fs::write(root.path().join("broken/Cargo.toml"), manifest).unwrap();
    fs::write(root.path().join("broken/src/main.rs"), "fn main() {").unwrap();
    check(root.path(), &["nowhere"], 1, "", "no folder ./nowhere");
    check(
        root.path(),
        &["empty"],
        1,
        "",
        "neither Cargo.toml nor model.py",
    );
    check(
        root.path(),
        &["--python", "no-such-python", "python"],
        1,
        "",
        "pip install CHECKOUT/crates/label-studio-ml-python",
    );
    check(
        root.path(),
        &["nowhere.py:Mood"],
        1,
        "",
        "no script ./nowhere.py",
    );
    check(root.path(), &["--dev", "broken"], 1, "", "does not build");
    check(root.path(), &[], 2, "", "<DIR>");
    check(
        root.path(),
        &["--port", "1", "empty"],
        2,
        "",
        "unexpected argument '--port'",
    );
}

#[test]
fn a_python_backend_is_started_by_the_package_of_the_python_that_is_named() {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("mine")).unwrap();
    fs::write(root.path().join("mine/model.py"), "").unwrap();
    // A mock interpreter: imports succeed, and the program's own arguments are printed.
    let python = root.path().join("python");
    let script = "#!/bin/sh\nif [ $# -gt 2 ]; then shift 2; echo \"$@\"; exit 5; fi\n";
    fs::write(&python, script).unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    let python = python.to_str().unwrap();
    let args = ["--python", python, "mine", "--port", "9091", "--help"];
    let out = "start ./mine --port 9091 --help\n";
    check(root.path(), &args, 5, out, "");
}

#[test]
fn reports_that_cargo_is_missing() {
    let root = TempDir::new().unwrap();
    backend(root.path());
    let output = start(root.path(), &["echo"])
        .env("PATH", "")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("cargo is not installed"), "{said}");
}
