//! The numbers of PyTorch: `fixtures/make.py` makes them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use label_studio_training::{
    Checkpoint, Inference, Network, Stepper, Task, Tokens, TrainingOptions, Workspace,
};
use serde::Deserialize;
use serde_json::Value;

const MODELS: [&str; 7] = [
    "bert",
    "distilbert",
    "roberta",
    "xlm-roberta",
    "electra",
    "deberta-v2",
    "deberta-v3",
];
const N_STEPS: usize = 20;

#[derive(Deserialize)]
struct Expected {
    texts: Vec<Vec<u32>>,
    logits: Value,
    losses: Vec<f64>,
    gradient_norms: Vec<f64>,
    norms: BTreeMap<String, f64>,
}

fn folder(model: &str, task: Task) -> PathBuf {
    let kind = match task {
        Task::SequenceClassification => "sequence",
        Task::TokenClassification => "token",
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    fixtures.join(format!("{model}-{kind}"))
}

fn check_models(check: impl Fn(&str, Task, Network, Expected)) {
    for model in MODELS {
        for task in [Task::SequenceClassification, Task::TokenClassification] {
            let folder = folder(model, task);
            let network = Network::load(&Checkpoint::in_folder(&folder).unwrap(), task).unwrap();
            let expected = fs::read(folder.join("expected.json")).unwrap();
            let name = format!("{model} {task:?}");
            check(
                &name,
                task,
                network,
                serde_json::from_slice(&expected).unwrap(),
            );
        }
    }
}

fn tokens(ids: &[u32]) -> Tokens<'_> {
    Tokens { ids, type_ids: &[] }
}

/// Numbers of a list of lists, in their order.
fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

fn assert_close(name: &str, actual: &[f32], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{name}");
    for (actual, expected) in actual.iter().zip(expected) {
        let difference = (f64::from(*actual) - expected).abs();
        assert!(difference < tolerance, "{name}: {actual} is not {expected}");
    }
}

#[test]
fn logits_are_those_of_transformers_whatever_is_in_the_batch() {
    check_models(|name, _, network, expected| {
        let texts: Vec<_> = expected.texts.iter().map(|ids| tokens(ids)).collect();
        let mut workspace = Workspace::default();
        let together = network.logits(&texts, &mut workspace).unwrap();
        assert_close(name, together, &flat(&expected.logits), 1e-5);
        for (text, logits) in texts.iter().zip(expected.logits.as_array().unwrap()) {
            let alone = network.logits(&[*text], &mut workspace).unwrap();
            assert_close(name, alone, &flat(logits), 1e-5);
        }
        let rows = Inference::new(network).logits(&texts).unwrap();
        assert_close(name, &rows.concat(), &flat(&expected.logits), 1e-5);
    });
}

/// The labels of `fixtures/make.py`.
fn labels(ids: &[u32], step: usize, task: Task) -> Vec<Option<usize>> {
    if task == Task::SequenceClassification {
        return vec![Some((ids.len() + step) % 3)];
    }
    let inner = ids[1..ids.len() - 1].iter();
    let inner = inner.map(|id| Some((*id as usize + step) % 3));
    std::iter::once(None).chain(inner).chain([None]).collect()
}

#[test]
fn twenty_steps_are_those_of_pytorch() {
    check_models(|name, task, network, expected| {
        let options = TrainingOptions {
            learning_rate: 1e-2,
            weight_decay: 0.1,
            warmup_ratio: 0.2,
            ..TrainingOptions::default()
        };
        let mut stepper = Stepper::new(network, options.clone());
        for step in 0..N_STEPS {
            let batch = [step % 3, (step + 1) % 3].map(|idx| expected.texts[idx].as_slice());
            let labels: Vec<_> = batch
                .iter()
                .flat_map(|ids| labels(ids, step, task))
                .collect();
            let loss = stepper.add_batch(&batch.map(tokens), &labels, 1).unwrap();
            let norm = stepper
                .step(options.learning_rate_at(step, N_STEPS))
                .unwrap();
            let difference = (loss - expected.losses[step]).abs();
            assert!(
                difference < 1e-3,
                "{name}, step {step}: {loss}, {}",
                expected.losses[step]
            );
            let wanted = expected.gradient_norms[step];
            let ratio = norm / wanted;
            assert!(
                (ratio - 1.0).abs() < 1e-2,
                "{name}, step {step}: {norm}, {wanted}"
            );
        }
        let norms: BTreeMap<_, _> = stepper.network().norms().collect();
        assert_eq!(norms.len(), expected.norms.len(), "{name}");
        for (tensor, wanted) in &expected.norms {
            // The gradient of a key's bias is 0 but for rounding, of which Adam makes full steps.
            let is_noise = ["key.bias", "k_lin.bias", "pos_key_proj.bias"]
                .iter()
                .any(|name| tensor.ends_with(name));
            let tolerance = if is_noise { 1e-1 } else { 1e-3 };
            let ratio = norms[tensor.as_str()] / wanted;
            assert!((ratio - 1.0).abs() < tolerance, "{name}, {tensor}: {ratio}");
        }
    });
}

#[test]
fn accumulated_batches_are_one_batch_of_the_same_size() {
    let folder = folder("bert", Task::SequenceClassification);
    let norm_of = |batches: &[&[usize]]| {
        let checkpoint = Checkpoint::in_folder(&folder).unwrap();
        let network = Network::load(&checkpoint, Task::SequenceClassification).unwrap();
        let mut stepper = Stepper::new(network, TrainingOptions::default());
        let texts: [&[u32]; 2] = [&[2, 5, 6, 3], &[2, 7, 3]];
        for batch in batches {
            let own: Vec<_> = batch.iter().map(|idx| tokens(texts[*idx])).collect();
            let labels: Vec<_> = batch.iter().map(|idx| Some(*idx)).collect();
            stepper.add_batch(&own, &labels, batches.len()).unwrap();
        }
        stepper.step(0.0).unwrap()
    };
    let (once, twice) = (norm_of(&[&[0, 1]]), norm_of(&[&[0], &[1]]));
    assert!((once / twice - 1.0).abs() < 1e-5, "{once} is not {twice}");
}
