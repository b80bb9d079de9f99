//! Gradients against differences of losses.

use std::{fs, path::Path};

use serde_json::Value;

use super::{
    focal::FocalLoss,
    loss::{EQUAL, cross_entropy},
};
use crate::{
    checkpoint::{Checkpoint, ModelConfig, SpanCheckpoint, Task},
    network::{
        Gradients, Mode, Network, SeriesDropouts, SeriesNetwork, SeriesRows, SeriesSizes,
        SeriesWorkspace, SpanNetwork, SpanText, SpanWorkspace, Tokens, Workspace,
    },
};

const TEXTS: [&[u32]; 2] = [&[2, 5, 6, 7, 3], &[2, 40, 5, 3]];
const SEED: u32 = 11;
const STEP: f32 = 1e-2;

/// A fixture whose dropout is on.
fn network(model: &str, task: Task) -> Network {
    let kind = match task {
        Task::SequenceClassification => "sequence",
        Task::TokenClassification => "token",
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let checkpoint = Checkpoint::in_folder(&fixtures.join(format!("{model}-{kind}"))).unwrap();
    let mut config = ModelConfig::read(&checkpoint.config).unwrap();
    config.sizes.hidden_dropout_prob = 0.2;
    config.sizes.attention_probs_dropout_prob = 0.2;
    config.sizes.seq_classif_dropout = 0.2;
    Network::read(&checkpoint, (config, task), None).unwrap()
}

fn labels(task: Task) -> Vec<Option<usize>> {
    match task {
        Task::SequenceClassification => vec![Some(0), Some(2)],
        Task::TokenClassification => (0..9).map(|idx| (idx != 3).then_some(idx % 3)).collect(),
    }
}

fn loss(network: &Network, task: Task) -> (f64, Gradients) {
    let texts = TEXTS.map(|ids| Tokens { ids, type_ids: &[] });
    let mut workspace = Workspace::default();
    let mut gradients = network.parameters().gradients();
    let pass = network
        .forward(&texts, Mode::Learn(SEED), &mut workspace)
        .unwrap();
    let head = &mut workspace.head;
    let labels = labels(task);
    let loss = cross_entropy(&head.logits, (&labels, EQUAL), &mut head.gradient, 1.0);
    network.backward(&pass, &mut workspace, &mut gradients);
    (loss, gradients)
}

#[test]
fn every_parameter_gets_the_gradient_of_the_loss_with_dropout_on() {
    for model in [
        "bert",
        "distilbert",
        "roberta",
        "electra",
        "deberta-v2",
        "deberta-v3",
    ] {
        for task in [Task::SequenceClassification, Task::TokenClassification] {
            let mut network = network(model, task);
            let (_, gradients) = loss(&network, task);
            for tensor in network.parameters().tensors.clone() {
                let gradient = &gradients.values[tensor.range.clone()];
                let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
                // A constant that is added to all keys changes no softmax.
                let is_key_bias = ["key.bias", "k_lin.bias", "pos_key_proj.bias"]
                    .iter()
                    .any(|name| tensor.name.ends_with(name));
                if is_key_bias {
                    assert!(norm < 1e-6, "{model}, {}: {norm}", tensor.name);
                    continue;
                }
                assert!(norm > 1e-6, "{model}, {} gets no gradient", tensor.name);
                // The step goes along the gradient, where the loss changes most.
                let direction: Vec<f32> = gradient.iter().map(|g| g / norm).collect();
                let mut at = |step: f32| {
                    let values = network.parameters_mut().values[tensor.range.clone()].iter_mut();
                    values
                        .zip(&direction)
                        .for_each(|(value, d)| *value += step * d);
                    loss(&network, task).0
                };
                let (above, below) = (at(STEP), at(-2.0 * STEP));
                at(STEP);
                let slope = (above - below) / f64::from(2.0 * STEP);
                let ratio = slope / f64::from(norm);
                assert!(
                    (ratio - 1.0).abs() < 0.03,
                    "{model}, {}: {ratio}",
                    tensor.name
                );
            }
        }
    }
}

/// The fixture of spans, with dropout.
fn span_network() -> SpanNetwork {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut checkpoint = SpanCheckpoint::in_folder(&fixtures.join("gliner")).unwrap();
    let json = fs::read(&checkpoint.config).unwrap();
    let mut fields: Value = serde_json::from_slice(&json).unwrap();
    fields["dropout"] = 0.2.into();
    for name in ["hidden_dropout_prob", "attention_probs_dropout_prob"] {
        fields["encoder_config"][name] = 0.2.into();
    }
    let folder = tempfile::tempdir().unwrap();
    checkpoint.config = folder.path().join("gliner_config.json");
    fs::write(&checkpoint.config, fields.to_string()).unwrap();
    SpanNetwork::load(&checkpoint).unwrap()
}

fn span_loss(network: &SpanNetwork) -> (f64, Gradients) {
    let (words, labels) = ([Some(5), None, Some(6), Some(8)], [1, 3]);
    let ids = [2, 46, 5, 46, 47, 10, 12, 13, 14, 3];
    let text = SpanText {
        ids: &ids,
        words: &words,
        labels: &labels,
    };
    let short = SpanText {
        words: &words[..1],
        labels: &labels[..1],
        ..text
    };
    let mut workspace = SpanWorkspace::default();
    let mut gradients = network.parameters().gradients();
    let mode = Mode::Learn(SEED);
    let pass = network
        .forward(&[text, short], mode, &mut workspace)
        .unwrap();
    let focal = FocalLoss {
        alpha: Some(0.75),
        gamma: 2.0,
    };
    let head = &mut workspace.head;
    head.gradient.clear();
    let mut sum = 0.0;
    for (idx, logit) in head.logits.iter().enumerate() {
        let (loss, slope) = focal.of(*logit, idx % 3 == 0);
        sum += loss;
        #[expect(clippy::cast_possible_truncation, reason = "single precision will do")]
        head.gradient.push(slope as f32);
    }
    network.backward(&pass, &mut workspace, &mut gradients);
    (sum, gradients)
}

#[test]
fn every_parameter_of_a_span_network_gets_the_gradient_of_the_loss() {
    const SMALL_STEP: f32 = 2e-3;
    let mut network = span_network();
    let (_, gradients) = span_loss(&network);
    for tensor in network.parameters().tensors.clone() {
        let gradient = &gradients.values[tensor.range.clone()];
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        assert!(norm > 1e-4, "{} gets no gradient", tensor.name);
        let direction: Vec<f32> = gradient.iter().map(|g| g / norm).collect();
        let mut at = |step: f32| {
            let values = network.parameters_mut().values[tensor.range.clone()].iter_mut();
            values
                .zip(&direction)
                .for_each(|(value, d)| *value += step * d);
            span_loss(&network).0
        };
        let (above, below) = (at(SMALL_STEP), at(-2.0 * SMALL_STEP));
        at(SMALL_STEP);
        let ratio = (above - below) / f64::from(2.0 * SMALL_STEP) / f64::from(norm);
        assert!((ratio - 1.0).abs() < 0.05, "{}: {ratio}", tensor.name);
    }
}

fn series_loss(network: &SeriesNetwork) -> (f64, Gradients) {
    let mut values = [0.0; 16];
    for (idx, value) in (0_i8..).zip(&mut values) {
        *value = f32::from(idx * 7 % 16 - 8) / 4.0;
    }
    let rows = SeriesRows {
        values: &values,
        bounds: &[0, 5, 8],
    };
    let mode = Mode::Learn(SEED);
    let mut workspace = SeriesWorkspace::default();
    let mut gradients = network.parameters().gradients();
    network.forward(rows, mode, &mut workspace).unwrap();
    let classes: Vec<_> = (0..8).map(|row| (row != 3).then_some(row % 3)).collect();
    let SeriesWorkspace {
        logits, gradient, ..
    } = &mut workspace;
    let weight = |class: usize| [0.5, 1.0, 2.0][class];
    let loss = cross_entropy(logits, (&classes, &weight), gradient, 1.0);
    network.backward(rows, mode, &mut workspace, &mut gradients);
    (loss, gradients)
}

#[test]
fn every_parameter_of_a_series_network_gets_the_gradient_of_the_loss_with_dropout_on() {
    const SMALL_STEP: f32 = 2e-3;
    let sizes = SeriesSizes {
        n_channels: 2,
        n_classes: 3,
        width: 10,
        n_hidden: 6,
        n_layers: 2,
        dropouts: SeriesDropouts {
            input: 0.2,
            recurrent: 0.3,
            output: 0.2,
        },
    };
    let mut network = SeriesNetwork::new(sizes, 5).unwrap();
    let (_, gradients) = series_loss(&network);
    for tensor in network.parameters().tensors.clone() {
        let gradient = &gradients.values[tensor.range.clone()];
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        assert!(norm > 1e-5, "{} gets no gradient", tensor.name);
        let direction: Vec<f32> = gradient.iter().map(|g| g / norm).collect();
        // A step that changes the loss by the same, whatever the slope.
        let step = (SMALL_STEP / norm).clamp(1e-3, 5e-2);
        let mut at = |step: f32| {
            let values = network.parameters_mut().values[tensor.range.clone()].iter_mut();
            values
                .zip(&direction)
                .for_each(|(value, d)| *value += step * d);
            series_loss(&network).0
        };
        let (above, below) = (at(step), at(-2.0 * step));
        at(step);
        let ratio = (above - below) / f64::from(2.0 * step) / f64::from(norm);
        assert!((ratio - 1.0).abs() < 0.05, "{}: {ratio}", tensor.name);
    }
}
