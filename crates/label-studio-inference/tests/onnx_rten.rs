//! The engine in pure Rust answers as ONNX Runtime does, behind the same trait.
#![cfg(feature = "rten")]

use std::{fs, path::PathBuf, sync::Arc, thread};

use label_studio_inference::onnx::{
    Device, ElementType, Engine, EngineKind, Expected, ExpectedTensor, OnnxArgs, OnnxError, Runtime,
};
use ndarray::{Array3, array};

const INTEGERS: Expected<'_> = Expected {
    what: "a model of integers",
    inputs: &[
        ExpectedTensor::i64("ids", &[1, -1]),
        ExpectedTensor::new("mask", ElementType::Bool, &[1, -1]),
    ],
    outputs: &[ExpectedTensor::i64("twice", &[1, -1])],
};

fn args(onnx_engine: EngineKind) -> OnnxArgs {
    OnnxArgs {
        onnx_engine,
        ..OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))
    }
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn load(engine: EngineKind, name: &str) -> Arc<dyn Engine> {
    let runtime = Runtime::new(&args(engine)).unwrap();
    runtime.load(fixture(name)).unwrap()
}

#[test]
fn both_engines_read_the_same_from_a_file() {
    for name in ["double.onnx", "integers.onnx"] {
        let (ort, rten) = (load(EngineKind::Ort, name), load(EngineKind::Rten, name));
        assert_eq!(ort.inputs(), rten.inputs());
        assert_eq!(ort.outputs(), rten.outputs());
        for (key, value) in ort.metadata() {
            assert_eq!(rten.metadata().get(key), Some(value));
        }
        assert_eq!(ort.file(), rten.file());
    }
    INTEGERS
        .check(load(EngineKind::Rten, "integers.onnx").as_ref())
        .unwrap();
}

#[test]
fn both_engines_compute_the_same() {
    let (ids, mask) = (
        array![[1_i64, -2, 2_000_000_000 / 2]],
        array![[true, false, true]],
    );
    let inputs = [("mask", (&mask).into()), ("ids", (&ids).into())];
    let outputs = ["weights", "twice", "inverse"];
    let run = |engine| {
        load(engine, "integers.onnx")
            .run(&inputs, &outputs)
            .unwrap()
    };
    assert_eq!(run(EngineKind::Ort), run(EngineKind::Rten));

    let pixels = array![[[0.0_f32], [1.0]], [[10.0], [11.0]], [[20.0], [21.0]]];
    let turned = pixels.view().permuted_axes([2, 0, 1]);
    let inputs = [("images", turned.into())];
    let run = |engine| {
        load(engine, "double.onnx")
            .run(&inputs, &["negative", "twice"])
            .unwrap()
    };
    assert_eq!(run(EngineKind::Ort), run(EngineKind::Rten));
}

#[test]
fn threads_share_the_weights_and_get_their_own_answers() {
    let args = OnnxArgs {
        onnx_sessions: 2,
        onnx_threads: 1,
        ..args(EngineKind::Rten)
    };
    let model = Runtime::new(&args)
        .unwrap()
        .load(fixture("double.onnx"))
        .unwrap();
    thread::scope(|scope| {
        for number in 0..8_u8 {
            let model = &model;
            scope.spawn(move || {
                let images = Array3::from_elem((1, 3, 2), f32::from(number));
                for _ in 0..20 {
                    let [twice] = model
                        .run_f32(&[("images", (&images).into())], ["twice"])
                        .unwrap();
                    assert_eq!(twice, &images.clone().into_dyn() * 2.0);
                }
            });
        }
    });
}

#[test]
fn what_it_cannot_do_is_an_error() {
    let model = load(EngineKind::Rten, "integers.onnx");
    let (ids, mask) = (array![[1_i64 << 40]], array![[true]]);
    let refusal = |inputs: &[(&str, label_studio_inference::onnx::TensorView<'_>)], output| {
        let error = model.run(inputs, &[output]).unwrap_err();
        assert!(error.to_string().contains("integers.onnx"), "{error}");
        std::error::Error::source(&error).unwrap().to_string()
    };
    let large = [("ids", (&ids).into()), ("mask", (&mask).into())];
    assert!(refusal(&large, "twice").contains("1099511627776"));
    let unknown = [("pixels", (&mask).into())];
    assert!(refusal(&unknown, "twice").contains("pixels"));
    let some = [("mask", (&mask).into())];
    assert!(refusal(&some, "thrice").contains("thrice"));
    refusal(&some, "twice");

    let gpu = OnnxArgs {
        device: Device::Cuda(0),
        ..args(EngineKind::Rten)
    };
    let error = Runtime::new(&gpu)
        .unwrap()
        .load(fixture("double.onnx"))
        .err()
        .unwrap();
    assert!(matches!(error, OnnxError::NoGpu { .. }), "{error}");

    let folder = tempfile::tempdir().unwrap();
    let truncated = folder.path().join("model.onnx");
    let whole = fs::read(fixture("integers.onnx")).unwrap();
    fs::write(&truncated, &whole[..whole.len() / 2]).unwrap();
    let error = Runtime::new(&args(EngineKind::Rten))
        .unwrap()
        .load(&truncated)
        .err()
        .unwrap();
    assert!(error.to_string().contains("truncated"), "{error}");
}
