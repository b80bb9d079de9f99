//! A backend written by `label-studio-ml create` builds, passes its own tests and starts.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use label_studio_testing::RunningServer;
use serde_json::{Value, json};

/// Variables that cargo sets for a test of this package. When one of them changes, the build script of `ring` runs
/// again, and all crates that depend on it are built again.
const OF_THIS_PACKAGE: [&str; 7] = [
    "CARGO_MANIFEST_DIR",
    "CARGO_MANIFEST_LINKS",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION_MAJOR",
    "CARGO_PKG_VERSION_MINOR",
    "CARGO_PKG_VERSION_PATCH",
    "CARGO_PKG_VERSION_PRE",
];

/// Creates a backend in a folder that is kept, so that a second run builds little.
fn new_backend(checkout: &Path) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("template");
    let mut create = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    create
        .args(["create", "my_backend", "--force", "--root-dir"])
        .arg(&root);
    let output = create.arg("--sdk-path").arg(checkout).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    share_build(&root, checkout);
    root.join("my_backend")
}

/// Makes cargo use the target folder and the profile of this workspace below `root`, so that shared crates are built once.
fn share_build(root: &Path, checkout: &Path) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let manifest = fs::read_to_string(checkout.join("Cargo.toml")).unwrap();
    let profile =
        manifest.find("[profile.dev]").unwrap()..manifest.find("[profile.release]").unwrap();
    let config = format!(
        "[build]\ntarget-dir = \"{}\"\n\n[net]\noffline = true\n\n{}",
        target.display(),
        &manifest[profile]
    );
    fs::create_dir_all(root.join(".cargo")).unwrap();
    fs::write(root.join(".cargo/config.toml"), config).unwrap();
}

/// A program as a person calls it in the folder of the backend.
fn program(path: &str, backend: &Path) -> Command {
    let mut command = Command::new(path);
    command.current_dir(backend);
    for name in OF_THIS_PACKAGE {
        command.env_remove(name);
    }
    command
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

/// Starts the backend twice on one folder.
fn each_process_suggests_what_the_other_has_learnt(backend: &Path) {
    let model_dir = tempfile::tempdir().unwrap();
    let servers = [(); 2].map(|()| {
        let mut start = program(env!("CARGO_BIN_EXE_label-studio-ml"), backend);
        start.args(["start", "--dev"]).arg(backend);
        start.args(["--host", "127.0.0.1", "--port", "0", "--model-dir"]);
        RunningServer::start(start.arg(model_dir.path()))
    });
    let config = r#"<View><Text name="text" value="$text"/><Choices name="mood" toName="text">
        <Choice value="Happy"/><Choice value="Sad"/></Choices></View>"#;
    let suggested = |server: &RunningServer| {
        let task = json!({ "data": { "text": "rain" } });
        let body = json!({ "tasks": [task], "project": "1.1", "label_config": config });
        let (status, mut answer) = server.send("POST", "/predict", &body).unwrap();
        assert_eq!(status, 200, "{answer}");
        let choice = answer.pointer_mut("/results/0/result/0/value/choices/0");
        choice.map(Value::take).unwrap_or_default()
    };
    let [one, two] = &servers;
    assert_eq!([suggested(one), suggested(two)], [Value::Null, Value::Null]);
    for (server, choice) in [(one, "Happy"), (two, "Sad")] {
        let regions = json!([{ "value": { "choices": [choice] } }]);
        let event = json!({
            "action": "ANNOTATION_CREATED", "annotation": { "id": 1, "result": regions },
            "project": { "id": 1, "label_config": config },
        });
        assert_eq!(server.send("POST", "/webhook", &event).unwrap().0, 201);
        // On a busy machine the training goes on after its answer.
        while suggested(server) != choice {
            thread::yield_now();
        }
        assert_eq!([suggested(one), suggested(two)], [choice, choice]);
    }
}

#[test]
fn a_new_backend_passes_its_tests_and_starts() {
    let checkout = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let backend = new_backend(checkout);

    let mut test = program(env!("CARGO"), &backend);
    test.arg("test");
    check(test);

    let label_studio_ml = env!("CARGO_BIN_EXE_label-studio-ml");
    let mut help = program(label_studio_ml, &backend);
    help.args(["start", "--dev"]).arg(&backend).arg("--help");
    let help = String::from_utf8(help.output().unwrap().stdout).unwrap();
    let (own, of_every_backend) = help.split_once("\nServer:\n").unwrap();
    assert!(own.contains("--score") && of_every_backend.contains("--port"));

    let mut start = program(label_studio_ml, &backend);
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
    let mut started = start.spawn().unwrap();
    let log = BufReader::new(started.stdout.take().unwrap());
    let is_up = log
        .lines()
        .any(|line| line.unwrap().contains("listening on http://"));
    started.kill().unwrap();
    started.wait().unwrap();
    assert!(is_up, "it ended before it listened");
    each_process_suggests_what_the_other_has_learnt(&backend);
}
