//! `label-studio-ml list` with the backends of this repository, and with others.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

fn list(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_label-studio-ml"));
    command.arg("list").args(args).output().unwrap()
}

fn checkout() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.ancestors().nth(2).unwrap()
}

fn stdout(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn has_a_row_for_every_example() {
    let table = stdout(list(&[]));
    let examples = fs::read_dir(checkout().join("examples")).unwrap();
    let mut names: Vec<_> = examples
        .map(|entry| entry.unwrap().path())
        .filter(|folder| folder.join("Cargo.toml").is_file())
        .map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    let rows: Vec<_> = table.lines().skip(1).collect();
    let listed: Vec<_> = rows
        .iter()
        .map(|row| row.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(listed, names);
    let yolo = rows.iter().find(|row| row.starts_with("yolo ")).unwrap();
    assert!(
        yolo.contains("pre-annotation") && yolo.contains("Image"),
        "{yolo}"
    );
}

#[test]
fn describes_one_backend() {
    let text = stdout(list(&["segment_anything_model"]));
    for expected in [
        "segment_anything_model: Segment Anything\n",
        "modes         interactive\n",
        "object tags   Image\n",
        "needs         onnxruntime\n",
        "weights       MobileSAM (Apache-2.0, 45 MB) https://",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in {text}");
    }
    let output = list(&["nonsense"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no backend nonsense"));
}

#[test]
fn prints_json_for_programs() {
    let backends: Vec<Value> = serde_json::from_str(&stdout(list(&["--json"]))).unwrap();
    let simplest = backends
        .iter()
        .find(|backend| backend["name"] == "the_simplest_backend")
        .unwrap();
    assert_eq!(simplest["modes"][0], "pre-annotation");
    assert_eq!(simplest["weights"], Value::Array(Vec::new()));
    let one: Vec<Value> = serde_json::from_str(&stdout(list(&["yolo", "--json"]))).unwrap();
    assert_eq!(one.len(), 1);
    assert_eq!(one[0]["weights"][0]["licence"], "AGPL-3.0");
}

#[test]
fn names_the_manifest_whose_metadata_is_wrong() {
    let root = TempDir::new().unwrap();
    let sdk = root.path().join("crates/label-studio-ml");
    let example = root.path().join("examples/mine");
    for folder in [&sdk, &example] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(
        sdk.join("Cargo.toml"),
        "[package]\nname = \"label-studio-ml\"\n",
    )
    .unwrap();
    let manifest = "[package]\nname = \"mine\"\n[package.metadata.backend]\ntitle = \"Mine\"\n";
    fs::write(example.join("Cargo.toml"), manifest).unwrap();
    let root = root.path().to_str().unwrap();
    let output = list(&["--sdk-path", root]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said.contains("mine/Cargo.toml") && said.contains("summary"),
        "{said}"
    );
    let output = list(&["--sdk-path", "/nowhere"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("is not a checkout"));
}
