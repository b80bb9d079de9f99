//! Spans scored for labels: the numbers of the Python library gliner, which
//! `fixtures/make_spans.py` makes, and files that cannot be used.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use label_studio_training::{
    FocalLoss, NetworkError, SpanCheckpoint, SpanExample, SpanInference, SpanNetwork, SpanStepper,
    SpanTarget, SpanText, SpanTraining, SpanWorkspace, TrainingError, TrainingOptions,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

const N_STEPS: usize = 20;
const LOSS: FocalLoss = FocalLoss {
    alpha: Some(0.75),
    gamma: 2.0,
};

#[derive(Deserialize)]
struct Expected {
    texts: Vec<Text>,
    logits: Vec<Vec<Vec<f64>>>,
    losses: Vec<f64>,
    gradient_norms: Vec<f64>,
    norms: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Text {
    ids: Vec<u32>,
    words: Vec<usize>,
    labels: Vec<usize>,
    spans: Vec<(usize, usize, usize)>,
}

impl Text {
    fn example(&self) -> SpanExample {
        let target = |(start, last, label): &(usize, usize, usize)| SpanTarget {
            start: *start,
            last: *last,
            label: *label,
        };
        SpanExample {
            ids: self.ids.clone(),
            words: self.words.iter().map(|word| Some(*word)).collect(),
            labels: self.labels.clone(),
            targets: self.spans.iter().map(target).collect(),
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/gliner")
}

fn network() -> SpanNetwork {
    SpanNetwork::load(&SpanCheckpoint::in_folder(&folder()).unwrap()).unwrap()
}

fn expected() -> Expected {
    serde_json::from_slice(&fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

fn text_of(example: &SpanExample) -> SpanText<'_> {
    SpanText {
        ids: &example.ids,
        words: &example.words,
        labels: &example.labels,
    }
}

fn assert_close(actual: &[f32], expected: &[Vec<f64>]) {
    let expected: Vec<_> = expected.iter().flatten().collect();
    assert_eq!(actual.len(), expected.len());
    for (actual, expected) in actual.iter().zip(expected) {
        let difference = (f64::from(*actual) - expected).abs();
        assert!(difference < 2e-5, "{actual} is not {expected}");
    }
}

#[test]
fn logits_are_those_of_the_library_whatever_is_in_the_batch() {
    let (network, expected) = (network(), expected());
    let examples: Vec<_> = expected.texts.iter().map(Text::example).collect();
    let texts: Vec<_> = examples.iter().map(text_of).collect();
    let mut workspace = SpanWorkspace::default();
    let together = network.logits(&texts, &mut workspace).unwrap();
    assert_close(together, &expected.logits.concat());
    for (text, wanted) in texts.iter().zip(&expected.logits) {
        assert_close(network.logits(&[*text], &mut workspace).unwrap(), wanted);
    }
    let inference = SpanInference::new(network);
    for (logits, wanted) in inference
        .logits(&texts)
        .unwrap()
        .iter()
        .zip(&expected.logits)
    {
        assert_close(logits, wanted);
    }
}

#[test]
fn twenty_steps_are_those_of_the_library() {
    let expected = expected();
    let examples: Vec<_> = expected.texts.iter().map(Text::example).collect();
    let options = TrainingOptions {
        learning_rate: 2e-3,
        head_learning_rate: Some(4e-3),
        weight_decay: 0.1,
        warmup_ratio: 0.2,
        ..TrainingOptions::default()
    };
    let mut stepper = SpanStepper::new(network(), LOSS, options.clone());
    for step in 0..N_STEPS {
        let batch = [step % 3, (step + 1) % 3].map(|idx| &examples[idx]);
        let loss = stepper.add_batch(&batch, 1).unwrap();
        let norm = stepper
            .step(options.learning_rate_at(step, N_STEPS))
            .unwrap();
        let (wanted, wanted_norm) = (expected.losses[step], expected.gradient_norms[step]);
        assert!(
            (loss - wanted).abs() < 1e-3,
            "step {step}: {loss}, {wanted}"
        );
        let ratio = norm / wanted_norm;
        assert!(
            (ratio - 1.0).abs() < 1e-2,
            "step {step}: {norm}, {wanted_norm}"
        );
    }
    let norms: BTreeMap<_, _> = stepper.network().norms().collect();
    assert_eq!(norms.len(), expected.norms.len());
    for (tensor, wanted) in &expected.norms {
        let ratio = norms[tensor.as_str()] / wanted;
        assert!((ratio - 1.0).abs() < 1e-3, "{tensor}: {ratio}");
    }
}

fn no_score(_: &SpanNetwork, _: &[SpanExample], logits: &[Vec<f32>]) -> f64 {
    f64::from(u8::from(!logits.is_empty()))
}

fn training(state: Option<&Path>) -> SpanTraining {
    let examples = expected().texts.iter().map(Text::example).collect();
    SpanTraining {
        examples,
        held_out: vec![expected().texts[0].example()],
        score: no_score,
        loss: LOSS,
        options: TrainingOptions {
            learning_rate: 1e-3,
            n_epochs: 4,
            batch_size: 1,
            ..TrainingOptions::default()
        },
        state: state.map(|folder| (folder.join("state.safetensors"), "tiny".to_owned())),
    }
}

#[test]
fn a_training_that_was_cut_short_goes_on_and_what_it_saves_is_read_again() {
    let run = |training: SpanTraining, last: usize| {
        training.run(network(), &mut |progress| {
            if progress.step > last {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })
    };
    let whole = run(training(None), usize::MAX).unwrap();
    assert!(
        whole.epochs[3].loss < whole.epochs[0].loss,
        "{:?}",
        whole.epochs
    );
    let folder = tempfile::tempdir().unwrap();
    let error = run(training(Some(folder.path())), 7).unwrap_err();
    assert!(matches!(error, TrainingError::Cancelled), "{error}");
    let resumed = run(training(Some(folder.path())), usize::MAX).unwrap();
    assert!(resumed.was_resumed);
    assert_eq!(resumed.epochs, whole.epochs);
    let norms = |network: &SpanNetwork| network.norms().map(|(_, norm)| norm).collect::<Vec<_>>();
    assert_eq!(norms(&resumed.network), norms(&whole.network));

    let checkpoint = SpanCheckpoint::in_folder(&self::folder()).unwrap();
    let saved = resumed
        .network
        .with_config(|config| config.with_project("1"));
    saved.save(folder.path(), &checkpoint).unwrap();
    let checkpoint = SpanCheckpoint::in_folder(folder.path()).unwrap();
    let again = SpanNetwork::load(&checkpoint).unwrap();
    assert_eq!(norms(&again), norms(&saved));
    assert_eq!(
        again.config().field("label_studio_project"),
        Some(&json!("1"))
    );
}

/// A copy of the fixture that a test may damage.
fn copy() -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
    }
    copy
}

#[test]
fn files_that_cannot_be_used_are_named_with_the_fix() {
    let error = |damage: &dyn Fn(&Path)| {
        let folder = copy();
        damage(folder.path());
        match SpanCheckpoint::in_folder(folder.path()) {
            Ok(checkpoint) => SpanNetwork::load(&checkpoint).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        }
    };
    let with = |field: &'static str, value: Value| {
        move |folder: &Path| {
            let path = folder.join("gliner_config.json");
            let mut config: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            config[field] = value.clone();
            fs::write(&path, config.to_string()).unwrap();
        }
    };
    let rename = |to: &'static str| {
        move |folder: &Path| {
            fs::rename(folder.join("model.safetensors"), folder.join(to)).unwrap();
        }
    };
    let remove =
        |file: &'static str| move |folder: &Path| fs::remove_file(folder.join(file)).unwrap();
    let cases: [(&str, String); 12] = [
        (
            "has no gliner_config.json",
            error(&remove("gliner_config.json")),
        ),
        ("has no tokenizer.json", error(&remove("tokenizer.json"))),
        (
            "has no model.safetensors",
            error(&remove("model.safetensors")),
        ),
        (
            "safe_serialization=True",
            error(&rename("pytorch_model.bin")),
        ),
        ("cannot be trained", error(&rename("model.onnx"))),
        (
            "span_mode than markerV0",
            error(&with("span_mode", json!("token_level"))),
        ),
        (
            "labels_encoder",
            error(&with("labels_encoder", json!("bert"))),
        ),
        (
            "has no encoder_config",
            error(&with("encoder_config", Value::Null)),
        ),
        ("wrong max_width", error(&with("max_width", json!(0)))),
        ("wrong hidden_size", error(&with("hidden_size", json!(13)))),
        (
            "rnn.lstm.weight_ih_l2",
            error(&with("num_rnn_layers", json!(3))),
        ),
        (
            "config.json asks for",
            error(&with("hidden_size", json!(14))),
        ),
    ];
    for (expected, message) in cases {
        assert!(
            message.contains(expected),
            "{expected:?} is not in {message:?}"
        );
    }
}

#[test]
fn texts_without_spans_and_places_that_are_not_there_are_refused() {
    let network = network();
    let error = |words: &[Option<usize>], labels: &[usize]| {
        let text = SpanText {
            ids: &[2, 46, 5, 47, 10, 3],
            words,
            labels,
        };
        let mut workspace = SpanWorkspace::default();
        network.logits(&[text], &mut workspace).map(<[f32]>::len)
    };
    assert_eq!(error(&[Some(4), None], &[1]).unwrap(), 3);
    let none = |error| matches!(error, NetworkError::NoSpans { text_idx: 0 });
    assert!(none(error(&[], &[1]).unwrap_err()) && none(error(&[None], &[]).unwrap_err()));
    let far = |error| {
        matches!(
            error,
            NetworkError::Place {
                token: 6,
                n_tokens: 6,
                ..
            }
        )
    };
    assert!(far(error(&[Some(6)], &[1]).unwrap_err()) && far(error(&[Some(4)], &[6]).unwrap_err()));
}
