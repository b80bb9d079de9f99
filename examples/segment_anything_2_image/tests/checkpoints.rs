//! Checkpoints are found by the original's settings; what is missing or wrong is named.

use std::path::Path;

use label_studio_inference::hub::HubArgs;
use label_studio_ml::{anyhow, sdk::http::NetworkOptions};
use label_studio_testing::flags;
use label_studio_vision::models::sam::Checkpoints;
use segment_anything_2_image::CheckpointArgs;

fn locate(flags: &[&str]) -> anyhow::Result<Checkpoints> {
    let flags = [&["--hf-hub-offline"], flags].concat();
    let (checkpoints, hub) = flags::parse_pair::<CheckpointArgs, HubArgs>(&flags);
    checkpoints.locate(&hub.hub(NetworkOptions::default())?)
}

fn refusal(flags: &[&str]) -> String {
    format!("{:#}", locate(flags).unwrap_err())
}

fn write(path: &Path) -> String {
    std::fs::write(path, "weights").unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_exported_checkpoint_is_found_by_the_name_of_the_original() {
    let folder = tempfile::tempdir().unwrap();
    let encoder = write(&folder.path().join("sam2.1_hiera_small.encoder.onnx"));
    write(&folder.path().join("sam2.1_hiera_small.decoder.onnx"));
    let checkpoint = folder.path().join("sam2.1_hiera_small.pt");
    let checkpoint = checkpoint.to_str().unwrap();
    let config = "configs/sam2.1/sam2.1_hiera_s.yaml";
    let found = [
        locate(&["--model-checkpoint", checkpoint, "--model-config", config]).unwrap(),
        locate(&["--model-checkpoint", &encoder]).unwrap(),
    ];
    for files in found {
        assert!(
            files.encoder.ends_with("sam2.1_hiera_small.encoder.onnx"),
            "{files:?}"
        );
        assert!(
            files.decoder.ends_with("sam2.1_hiera_small.decoder.onnx"),
            "{files:?}"
        );
    }
}

#[test]
fn any_two_files_can_be_named() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (
        write(&folder.path().join("a.onnx")),
        write(&folder.path().join("b.onnx")),
    );
    let found = locate(&["--sam-encoder", &a, "--sam-decoder", &b]).unwrap();
    assert_eq!((found.encoder, found.decoder), (a.into(), b.into()));
}

#[test]
fn a_config_of_another_checkpoint_is_refused() {
    let cases = [
        (
            "configs/sam2.1/sam2.1_hiera_l.yaml",
            "sam2.1_hiera_tiny.pt",
            "belongs to sam2.1_hiera_large",
        ),
        (
            "configs/sam2/sam2_hiera_l.yaml",
            "sam2.1_hiera_large.pt",
            "belongs to sam2_hiera_large",
        ),
        (
            "configs/sam2.1/sam2.1_hiera_xl.yaml",
            "sam2.1_hiera_large.pt",
            "names no model",
        ),
        (
            "sam2.1_hiera_b+.yaml",
            "sam2.1_hiera_base_plus.pt",
            "export.py",
        ),
    ];
    for (config, checkpoint, expected) in cases {
        let message = refusal(&["--model-checkpoint", checkpoint, "--model-config", config]);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn what_is_missing_is_named_with_the_fix() {
    let original = refusal(&["--model-checkpoint", "sam2.1_hiera_large.pt"]);
    assert!(
        original.contains("python export.py checkpoints/sam2.1_hiera_large.pt"),
        "{original}"
    );
    let alone = refusal(&["--model-checkpoint", "model.onnx"]);
    assert!(alone.contains("SAM_DECODER"), "{alone}");
    let offline = refusal(&["--hf-home", "/nonexistent"]);
    assert!(offline.contains("sam2.1-hiera-tiny-ONNX"), "{offline}");
}
