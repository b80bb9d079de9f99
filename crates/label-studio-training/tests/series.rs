//! Networks for series: the numbers of PyTorch, which `fixtures/make_series.py` makes, and trainings
//! from the first to the last epoch.

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use label_studio_training::{
    Goal, NetworkError, TrainingOptions, WeightDecay,
    series::{
        SeriesDropouts, SeriesExample, SeriesInference, SeriesNetwork, SeriesSizes, SeriesStepper,
        SeriesTraining, SeriesWorkspace,
    },
};
use serde::Deserialize;
use tempfile::tempdir;

/// The weights of `fixtures/make_series.py`.
const WEIGHTS: [f32; 3] = [0.5, 1.75, 1.25];

#[derive(Deserialize)]
struct Expected {
    rows: Vec<Vec<Vec<f32>>>,
    classes: Vec<Vec<i32>>,
    logits: Vec<Vec<Vec<f32>>>,
    losses: Vec<f64>,
    gradient_norms: Vec<f64>,
    norms: BTreeMap<String, f64>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/series")
}

fn expected() -> Expected {
    serde_json::from_slice(&fs::read(folder().join("expected.json")).unwrap()).unwrap()
}

fn sizes() -> SeriesSizes {
    SeriesSizes {
        n_channels: 2,
        n_classes: 3,
        width: 12,
        n_hidden: 6,
        n_layers: 2,
        dropouts: SeriesDropouts::default(),
    }
}

fn network() -> SeriesNetwork {
    SeriesNetwork::load(&folder().join("model.safetensors"), sizes()).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

#[test]
fn logits_are_those_of_pytorch_whatever_is_in_the_batch() {
    let (network, expected) = (network(), expected());
    let mut workspace = SeriesWorkspace::default();
    let all = expected.rows.concat().concat();
    let length = expected.rows[0].len();
    let bounds: Vec<usize> = (0..=expected.rows.len()).map(|idx| idx * length).collect();
    let together = network.logits(&all, &bounds, &mut workspace).unwrap();
    assert_close(together, &expected.logits.concat().concat());
    for (rows, logits) in expected.rows.iter().zip(&expected.logits) {
        let alone = network
            .logits(&rows.concat(), &[0, length], &mut workspace)
            .unwrap();
        assert_close(alone, &logits.concat());
    }
    let windows: Vec<Vec<f32>> = expected.rows.iter().map(|rows| rows.concat()).collect();
    let windows: Vec<&[f32]> = windows.iter().map(Vec::as_slice).collect();
    let probabilities = SeriesInference::new(network)
        .probabilities(&windows)
        .unwrap();
    for (window, logits) in probabilities.iter().zip(&expected.logits) {
        for (found, row) in window.chunks(3).zip(logits) {
            let sum: f32 = row.iter().map(|logit| logit.exp()).sum();
            let softmax: Vec<f32> = row.iter().map(|logit| logit.exp() / sum).collect();
            assert_close(found, &softmax);
        }
    }
}

#[test]
fn twenty_steps_are_those_of_pytorch() {
    let expected = expected();
    let examples: Vec<SeriesExample> = expected
        .rows
        .iter()
        .zip(&expected.classes)
        .map(|(rows, classes)| SeriesExample {
            rows: rows.concat(),
            classes: classes
                .iter()
                .map(|class| (*class).try_into().ok())
                .collect(),
        })
        .collect();
    let options = TrainingOptions {
        weight_decay: 1e-2,
        weight_decay_kind: WeightDecay::Penalty,
        max_gradient_norm: 0.1,
        ..TrainingOptions::default()
    };
    let mut stepper = SeriesStepper::new(network(), WEIGHTS.to_vec(), options);
    for (step, wanted) in expected.losses.iter().enumerate() {
        let batch = [0, 1, 3].map(|shift| &examples[(step + shift) % examples.len()]);
        let loss = stepper.add_batch(&batch, 1).unwrap();
        let norm = stepper.step(1e-2).unwrap();
        assert!(
            (loss - wanted).abs() < 1e-4,
            "step {step}: {loss}, {wanted}"
        );
        let ratio = norm / expected.gradient_norms[step];
        assert!((ratio - 1.0).abs() < 1e-3, "step {step}: {ratio}");
    }
    let norms: BTreeMap<_, _> = stepper.network().norms().collect();
    assert_eq!(norms.len(), expected.norms.len());
    for (tensor, wanted) in &expected.norms {
        let ratio = norms[tensor.as_str()] / wanted;
        assert!((ratio - 1.0).abs() < 1e-4, "{tensor}: {ratio}");
    }
}

/// Windows of noise in which the class of a row is the sign of its first channel, and of which the
/// second channel says nothing.
fn examples(n: u16) -> Vec<SeriesExample> {
    let noise = |idx: u16| f32::from(idx.wrapping_mul(40503) >> 4) / 2048.0 - 1.0;
    let example = |window: u16| {
        let values = |row: u16| [noise(window * 8 + row), noise(!(window * 8 + row))];
        let rows: Vec<f32> = (0..8).flat_map(values).collect();
        let classes = rows.chunks(2).map(|row| Some(u16::from(row[0] > 0.0)));
        SeriesExample {
            classes: classes.collect(),
            rows,
        }
    };
    (0..n).map(example).collect()
}

fn training(state: Option<&Path>) -> SeriesTraining {
    let mut examples = examples(60);
    let held_out = examples.split_off(40);
    SeriesTraining {
        examples,
        held_out,
        score: Box::new(|confusion| confusion.scores().min_f1),
        class_weights: vec![1.0; 2],
        options: TrainingOptions {
            learning_rate: 1e-2,
            n_epochs: 40,
            goal: Some(Goal {
                score: 0.95,
                patience: 2,
            }),
            ..TrainingOptions::default()
        },
        state: state.map(|folder| (folder.join("state.safetensors"), "signs".to_owned())),
    }
}

fn untrained() -> SeriesNetwork {
    let sizes = SeriesSizes {
        n_classes: 2,
        dropouts: SeriesDropouts {
            input: 0.1,
            recurrent: 0.1,
            output: 0.1,
        },
        ..sizes()
    };
    SeriesNetwork::new(sizes, 3).unwrap()
}

#[test]
fn a_training_learns_and_ends_after_its_goal_is_reached() {
    let outcome = training(None)
        .run(untrained(), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    let scores: Vec<_> = outcome
        .epochs
        .iter()
        .map(|epoch| epoch.held_out_score)
        .collect();
    assert!(scores[outcome.best] >= Some(0.95), "{scores:?}");
    assert!(outcome.epochs.len() < 40, "{scores:?}");
    assert_eq!(outcome.epochs.len(), outcome.best + 3, "{scores:?}");
    assert_eq!(outcome.held_out.n_rows(), 20 * 8);
    let min_f1 = outcome.held_out.scores().min_f1;
    assert_eq!(
        Some(min_f1),
        scores[outcome.best],
        "the best epoch's network"
    );
}

#[test]
fn a_training_that_was_cut_short_goes_on_and_comes_to_the_same() {
    let whole = training(None)
        .run(untrained(), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    let folder = tempdir().unwrap();
    let state = Some(folder.path());
    let cut = training(state).run(untrained(), &mut |progress| {
        if progress.step > 12 {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    cut.unwrap_err();
    let resumed = training(state)
        .run(untrained(), &mut |_| ControlFlow::Continue(()))
        .unwrap();
    assert!(resumed.was_resumed);
    assert_eq!(resumed.epochs, whole.epochs);
    assert_eq!(resumed.held_out, whole.held_out);
}

#[test]
fn a_saved_network_is_the_same_and_another_shape_is_refused() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let network = untrained();
    network.save(&path).unwrap();
    let again = SeriesNetwork::load(&path, network.sizes().clone()).unwrap();
    let (rows, mut workspace) = (examples(1)[0].rows.clone(), SeriesWorkspace::default());
    let mut logits = |network: &SeriesNetwork| {
        let logits = network.logits(&rows, &[0, 8], &mut workspace);
        logits.unwrap().to_vec()
    };
    assert_eq!(logits(&again), logits(&network));
    let error = SeriesNetwork::load(&path, sizes()).unwrap_err();
    assert!(error.to_string().contains("fc_output.weight"), "{error}");
    let huge = SeriesSizes {
        n_hidden: 1 << 40,
        ..sizes()
    };
    let error = SeriesNetwork::load(&path, huge).unwrap_err();
    assert!(error.to_string().contains("n_hidden"), "{error}");
}

#[test]
fn rows_that_do_not_fit_their_bounds_are_refused() {
    let network = untrained();
    let mut workspace = SeriesWorkspace::default();
    let cases: [(&[f32], &[usize]); 5] = [
        (&[0.0; 4], &[0, 3]),
        (&[0.0; 4], &[0, 2, 1, 2]),
        (&[0.0; 4], &[1, 2]),
        (&[0.0; 3], &[0, 1]),
        (&[0.0; 4], &[]),
    ];
    for (values, bounds) in cases {
        let error = network.logits(values, bounds, &mut workspace).unwrap_err();
        assert!(matches!(error, NetworkError::Series { .. }), "{bounds:?}");
    }
    let mut unknown = examples(1);
    unknown[0].classes[0] = Some(2);
    let mut stepper = SeriesStepper::new(network, vec![1.0; 2], TrainingOptions::default());
    let error = stepper.add_batch(&[&unknown[0]], 1).unwrap_err();
    assert!(matches!(error, NetworkError::Labels { .. }));
}
