//! ONNX Runtime's library is found, or its absence explained. Alone in its file: a process loads
//! one library only.

use std::{fs, path::Path};

use label_studio_inference::onnx::{OnnxArgs, Runtime};

fn refusal(path: &Path) -> String {
    let args = OnnxArgs {
        ort_dylib_path: Some(path.to_owned()),
        ..OnnxArgs::default()
    };
    let error = Runtime::new(&args).err().unwrap();
    error.to_string()
}

/// One test, since what it checks has an order: no library that works may be loaded first.
#[test]
fn a_missing_or_wrong_library_names_the_fix_and_does_not_spoil_the_next_try() {
    let folder = tempfile::tempdir().unwrap();
    let missing = refusal(&folder.path().join("libonnxruntime.so"));
    assert!(
        missing.contains("make setup") && missing.contains("there is no"),
        "{missing}"
    );
    let empty_folder = refusal(folder.path());
    assert!(empty_folder.contains("there is no"), "{empty_folder}");

    let wrong = folder.path().join("libonnxruntime.so.1.2.3");
    fs::write(&wrong, "not a library").unwrap();
    for path in [wrong.as_path(), folder.path()] {
        let unusable = refusal(path);
        assert!(
            unusable.contains("1.20 or newer") && unusable.contains("make setup"),
            "{unusable}"
        );
    }

    // Where pip puts it.
    let capi = folder
        .path()
        .join("venv/lib/python3.12/site-packages/onnxruntime/capi");
    fs::create_dir_all(&capi).unwrap();
    for name in [
        "libonnxruntime.so.1.23.2",
        "libonnxruntime_providers_shared.so",
    ] {
        fs::write(capi.join(name), "not a library").unwrap();
    }
    let args = OnnxArgs {
        virtual_env: Some(folder.path().join("venv")),
        ..OnnxArgs::default()
    };
    let found = Runtime::new(&args).err().unwrap().to_string();
    assert!(found.contains("capi/libonnxruntime.so.1.23.2"), "{found}");

    let args = OnnxArgs::near(env!("CARGO_MANIFEST_DIR"));
    assert!(Runtime::new(&args).is_ok());
}
