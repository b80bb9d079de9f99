//! ONNX models: files are checked, run by name, shared between threads; what is wrong is named.

use std::{fs, path::PathBuf, sync::Arc, thread};

use label_studio_inference::onnx::{
    Device, Engine, Expected, ExpectedTensor, OnnxArgs, OnnxError, Runtime, Tensor,
};
use ndarray::{Array3, Axis, arr1, arr2, array};

const DOUBLER: Expected<'_> = Expected {
    what: "a doubler",
    inputs: &[ExpectedTensor::f32("images", &[-1, 3, 2])],
    outputs: &[ExpectedTensor::f32("twice", &[-1, 3, -1])],
};

fn args() -> OnnxArgs {
    OnnxArgs::near(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn load(name: &str) -> Arc<dyn Engine> {
    Runtime::new(&args()).unwrap().load(fixture(name)).unwrap()
}

fn refusal(name: &str, content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    let error = Runtime::new(&args()).unwrap().load(&path).err().unwrap();
    error.to_string()
}

#[test]
fn names_types_shapes_and_metadata_come_from_the_file() {
    let model = load("double.onnx");
    let described: Vec<_> = model.outputs().iter().map(ToString::to_string).collect();
    assert_eq!(
        described,
        ["twice float32 [?, 3, 2]", "negative float32 [?, 3, 2]"]
    );
    assert_eq!(model.input("images").unwrap().fixed(1), Some(3));
    assert_eq!(model.input("images").unwrap().fixed(0), None);
    assert_eq!(load("types.onnx").metadata()["names"], "{0: 'person'}");
}

#[test]
fn every_element_type_goes_through() {
    let f32s = arr1(&[0.5_f32, -2.0]);
    let (i64s, i32s) = (arr1(&[1_i64, -1]), arr1(&[2_i32, -2]));
    let (bools, u8s) = (arr1(&[true, false]), arr1(&[0_u8, 255]));
    let inputs = [
        ("f32_in", (&f32s).into()),
        ("f16_in", (&f32s).into()),
        ("i64_in", (&i64s).into()),
        ("i32_in", (&i32s).into()),
        ("bool_in", (&bools).into()),
        ("u8_in", (&u8s).into()),
    ];
    let outputs = [
        "u8_out", "bool_out", "i32_out", "i64_out", "f16_out", "f32_out",
    ];
    let found = load("types.onnx").run(&inputs, &outputs).unwrap();
    let expected = [
        Tensor::U8(u8s.into_dyn()),
        Tensor::Bool(bools.into_dyn()),
        Tensor::I32(i32s.into_dyn()),
        Tensor::I64(i64s.into_dyn()),
        Tensor::F32(f32s.clone().into_dyn()),
        Tensor::F32(f32s.into_dyn()),
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_input_need_not_lie_in_one_piece() {
    let pixels = array![[[0.0_f32], [1.0]], [[10.0], [11.0]], [[20.0], [21.0]]];
    let turned = pixels.view().permuted_axes([2, 0, 1]);
    let [twice] = load("double.onnx")
        .run_f32(&[("images", turned.into())], ["twice"])
        .unwrap();
    let expected = arr2(&[[0.0, 2.0], [20.0, 22.0], [40.0, 42.0]]);
    assert_eq!(twice.index_axis(Axis(0), 0), expected.into_dyn());
}

#[test]
fn threads_take_turns_and_get_their_own_answers() {
    let args = OnnxArgs {
        onnx_sessions: 2,
        ..args()
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
fn a_file_that_fits_is_accepted() {
    DOUBLER.check(load("double.onnx").as_ref()).unwrap();
}

#[test]
fn a_file_that_does_not_fit_is_described() {
    let check = |expected: Expected<'_>| {
        let error = expected
            .check(load("double.onnx").as_ref())
            .unwrap_err()
            .to_string();
        let (_, problem) = error.split_once("is not ").unwrap();
        problem.to_owned()
    };
    insta::assert_snapshot!(check(Expected { inputs: &[ExpectedTensor::f32("pixels", &[1])], ..DOUBLER }),
        @"a doubler: it has no input pixels. Expected inputs pixels float32 [1] and outputs twice float32 [?, 3, ?]. The file has inputs images float32 [?, 3, 2] and outputs twice float32 [?, 3, 2], negative float32 [?, 3, 2]");
    let problem = check(Expected {
        outputs: &[ExpectedTensor::f32("twice", &[-1, 4, 2])],
        ..DOUBLER
    });
    assert!(
        problem.starts_with("a doubler: its output is twice float32 [?, 3, 2]."),
        "{problem}"
    );
    let problem = check(Expected {
        outputs: &[ExpectedTensor::i64("twice", &[-1, 3, 2])],
        ..DOUBLER
    });
    assert!(
        problem.starts_with("a doubler: its output is twice float32"),
        "{problem}"
    );
    let problem = check(Expected {
        inputs: &[],
        ..DOUBLER
    });
    assert!(
        problem.starts_with("a doubler: it wants an input images float32"),
        "{problem}"
    );
}

#[test]
fn a_run_with_a_wrong_input_is_an_error_that_names_the_file() {
    let model = load("double.onnx");
    for images in [Array3::<f32>::zeros((1, 4, 2)), Array3::zeros((1, 3, 3))] {
        let error = model
            .run(&[("images", (&images).into())], &["twice"])
            .unwrap_err();
        assert!(error.to_string().contains("double.onnx"), "{error}");
    }
    let numbers = array![[[1_i64, 2], [3, 4], [5, 6]]];
    assert!(
        model
            .run(&[("images", (&numbers).into())], &["twice"])
            .is_err()
    );
    assert!(
        model
            .run(&[("pixels", (&numbers).into())], &["twice"])
            .is_err()
    );
    assert!(model.run(&[], &["twice"]).is_err());
    let images = Array3::<f32>::zeros((1, 3, 2));
    assert!(
        model
            .run(&[("images", (&images).into())], &["thrice"])
            .is_err()
    );
    assert!(
        model
            .run(&[("images", (&images).into())], &["twice"])
            .is_ok()
    );
}

#[test]
fn an_output_of_another_type_is_named() {
    let (f32s, i64s, i32s) = (arr1(&[0.0_f32]), arr1(&[0_i64]), arr1(&[0_i32]));
    let (bools, u8s) = (arr1(&[true]), arr1(&[0_u8]));
    let inputs = [
        ("f32_in", (&f32s).into()),
        ("f16_in", (&f32s).into()),
        ("i64_in", (&i64s).into()),
        ("i32_in", (&i32s).into()),
        ("bool_in", (&bools).into()),
        ("u8_in", (&u8s).into()),
    ];
    let error = load("types.onnx")
        .run_f32(&inputs, ["i64_out"])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("output i64_out") && error.contains("is int64, float32 is needed"),
        "{error}"
    );
}

#[test]
fn files_that_are_no_models_say_what_they_are() {
    let whole = fs::read(fixture("double.onnx")).unwrap();
    let cases: [(&[u8], &str); 6] = [
        (b"", "it is empty"),
        (b"PK\x03\x04rest", "a PyTorch checkpoint"),
        (
            b"version https://git-lfs.github.com/spec/v1",
            "a Git LFS pointer",
        ),
        (b"<!DOCTYPE html>", "the error page of a failed download"),
        (&whole[..whole.len() / 2], "may be truncated"),
        (&[0x55; 200], "may be truncated"),
    ];
    for (content, expected) in cases {
        let message = refusal("model.onnx", content);
        assert!(
            message.contains(expected) && message.contains("model.onnx"),
            "{message}"
        );
    }
}

#[test]
fn a_missing_file_and_a_folder_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new(&args()).unwrap();
    let missing = runtime.load(folder.path().join("gone.onnx")).err().unwrap();
    assert!(matches!(missing, OnnxError::NoFile { .. }), "{missing}");
    let message = runtime.load(folder.path()).err().unwrap().to_string();
    assert!(message.contains("cannot be read"), "{message}");
}

#[test]
fn small_inputs_share_the_threads() {
    for (n_sessions, n_threads, max, expected) in [
        (1, 4, 4, 4),
        (1, 4, 8, 4),
        (1, 3, 2, 2),
        (2, 1, 8, 2),
        (6, 1, 4, 6),
    ] {
        let args = OnnxArgs {
            onnx_sessions: n_sessions,
            onnx_threads: n_threads,
            ..args()
        };
        let runtime = Runtime::new(&args).unwrap();
        assert_eq!(runtime.n_sessions(), n_sessions);
        assert_eq!(runtime.with_parallel_runs(max).n_sessions(), expected);
    }
}

#[test]
fn devices_are_read_as_people_write_them() {
    let cases = [
        ("auto", Some(Device::Auto)),
        ("CPU", Some(Device::Cpu)),
        ("cuda", Some(Device::Cuda(0))),
        ("cuda:1", Some(Device::Cuda(1))),
        ("gpu:1", Some(Device::Cuda(1))),
        ("2", Some(Device::Cuda(2))),
        ("cuda:-1", None),
        ("gpu:first", None),
        ("tpu", None),
    ];
    for (text, expected) in cases {
        assert_eq!(text.parse().ok(), expected, "{text}");
    }
}

#[cfg(not(feature = "cuda"))]
#[test]
fn a_gpu_that_the_program_cannot_use_is_refused_with_the_fix() {
    let args = OnnxArgs {
        device: Device::Cuda(0),
        ..args()
    };
    let runtime = Runtime::new(&args).unwrap();
    let message = runtime
        .load(fixture("double.onnx"))
        .err()
        .unwrap()
        .to_string();
    assert!(
        message.contains("without the feature `cuda`") && message.contains("DEVICE=cpu"),
        "{message}"
    );
}
