//! Checkpoints are found by the original's settings; what is missing is named.

use std::path::Path;

use label_studio_inference::hub::HubArgs;
use label_studio_ml::{anyhow, sdk::http::NetworkOptions};
use label_studio_testing::flags;
use label_studio_vision::models::sam::Checkpoints;
use segment_anything_model::CheckpointArgs;

fn locate(flags: &[&str]) -> anyhow::Result<Checkpoints> {
    let flags = [&["--hf-hub-offline"], flags].concat();
    let (checkpoints, hub) = flags::parse_pair::<CheckpointArgs, HubArgs>(&flags);
    checkpoints.locate(&hub.hub(NetworkOptions::default())?)
}

fn refusal(flags: &[&str]) -> String {
    format!("{:#}", locate(flags).unwrap_err())
}

fn write(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, "weights").unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn exported_files_are_found_beside_the_checkpoint_of_the_choice() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for stem in ["mobile_sam", "sam_vit_h"] {
        write(folder.path(), &format!("{stem}.encoder.onnx"));
        write(folder.path(), &format!("{stem}.decoder.onnx"));
    }
    let other = write(folder.path(), "quantized.onnx");
    let cases: [(&[&str], &str, &str); 4] = [
        (
            &["--mobilesam-checkpoint", &file("mobile_sam.pt")],
            "mobile_sam.encoder.onnx",
            "mobile_sam.decoder.onnx",
        ),
        (
            &["--mobilesam-checkpoint", &file("mobile_sam.encoder.onnx")],
            "mobile_sam.encoder.onnx",
            "mobile_sam.decoder.onnx",
        ),
        (
            &[
                "--sam-choice",
                "SAM",
                "--vith-checkpoint",
                &file("sam_vit_h.pth"),
            ],
            "sam_vit_h.encoder.onnx",
            "sam_vit_h.decoder.onnx",
        ),
        (
            &[
                "--sam-choice",
                "ONNX",
                "--vith-checkpoint",
                &file("sam_vit_h.pth"),
                "--onnx-checkpoint",
                &other,
            ],
            "sam_vit_h.encoder.onnx",
            "quantized.onnx",
        ),
    ];
    for (flags, encoder, decoder) in cases {
        let found = locate(flags).unwrap();
        assert!(
            found.encoder.ends_with(encoder) && found.decoder.ends_with(decoder),
            "{found:?}"
        );
    }
}

#[test]
fn what_is_missing_is_named_with_the_fix() {
    let sam = refusal(&["--sam-choice", "SAM"]);
    assert!(
        sam.contains("python export.py models/sam_vit_h_4b8939.pth"),
        "{sam}"
    );
    let mobile = refusal(&["--mobilesam-checkpoint", "models/other.pt"]);
    assert!(mobile.contains("models/other.encoder.onnx"), "{mobile}");
    let alone = refusal(&["--mobilesam-checkpoint", "model.onnx"]);
    assert!(alone.contains("SAM_DECODER"), "{alone}");
    let offline = refusal(&["--hf-home", "/nonexistent"]);
    assert!(offline.contains("Acly/MobileSAM"), "{offline}");
}

#[test]
fn an_unknown_choice_is_refused_at_the_start() {
    let error = flags::try_parse::<CheckpointArgs>(&["--sam-choice", "FastSAM"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("MobileSAM") && error.contains("ONNX"),
        "{error}"
    );
}
