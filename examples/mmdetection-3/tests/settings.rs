//! The program's settings.

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use label_studio_ml::testing::TestProgram;
use support::fixture;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mmdetection-3");

/// Loads the model and then fails for want of a free port, or fails to load it.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(PROGRAM);
    // Where ONNX Runtime is looked for.
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    command
        .args(arguments)
        .current_dir(repository)
        .envs(variables.iter().copied());
    command.output().unwrap()
}

fn message(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stderr[..], &output.stdout].concat()).into_owned()
}

/// What the program says on its way to an address that it cannot listen on.
fn check(variables: &[(&str, &str)]) -> String {
    let arguments = [
        "--check",
        "--cache-type",
        "memory",
        "--host",
        "256.0.0.1",
        "--port",
        "0",
    ];
    let output = run(&arguments, variables);
    assert!(!output.status.success());
    message(&output)
}

#[test]
fn variables_that_are_set_to_nothing_count_as_not_set() {
    TestProgram::new(PROGRAM).assert_empty_variables_count_as_unset(&[]);
}

#[test]
fn config_file_is_the_models_settings_or_the_originals_config() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    // The original's variables name a checkpoint; its export lies beside it.
    fs::copy(
        fixture("rtmdet-raw.onnx"),
        folder.path().join("rtmdet.onnx"),
    )
    .unwrap();
    let checkpoint = folder.path().join("rtmdet.pth").display().to_string();
    let settings = fs::read_to_string(fixture("rtmdet-raw.toml")).unwrap();
    let with = |config: &str| check(&[("CHECKPOINT_FILE", &checkpoint), ("CONFIG_FILE", config)]);

    let said = with(&file(
        "rtmdet_tiny_8xb32-300e_coco.py",
        "model = dict(type='RTMDet')",
    ));
    assert!(
        said.contains("CONFIG_FILE is a config of MMDetection"),
        "{said}"
    );
    assert!(said.contains("the model can be loaded"), "{said}");

    let said = with(&file("other.toml", &settings));
    assert!(said.contains("the model can be loaded"), "{said}");

    for (config, problem) in [
        (file("broken.toml", "family = \"ssd\""), "settings file"),
        (
            folder.path().join("gone.toml").display().to_string(),
            "gone.toml",
        ),
        (
            file("broken.json", "[]"),
            "broken.json is not a JSON object",
        ),
    ] {
        let said = with(&config);
        assert!(
            said.contains(problem) && !said.contains("the model can be loaded"),
            "{said}"
        );
    }

    let labels = file("labels.json", "[1]");
    let parameters = file(
        "parameters.json",
        &format!("{{\"labels_file\": {labels:?}}}"),
    );
    let said = with(&parameters);
    assert!(
        said.contains("labels.json is no JSON object of texts"),
        "{said}"
    );
    assert!(Path::new(&labels).exists());
}
